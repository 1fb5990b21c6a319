"""A messenger's simplest backend in FastAPI: one insert per message, one row by its key."""

import datetime
import os

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import BigInteger, String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    room: Mapped[str] = mapped_column(String(36))
    sender: Mapped[str] = mapped_column(String(36))
    body: Mapped[str] = mapped_column(String(400))
    created_at: Mapped[datetime.datetime]


class NewMessage(BaseModel):
    room: str
    content: str


engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=10)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


@app.post("/messages", status_code=201)
async def send(new: NewMessage):
    async with sessions() as session:
        now = datetime.datetime.now()
        message = Message(room=new.room, sender=new.room, body=new.content, created_at=now)
        session.add(message)
        await session.commit()
        return {"id": message.id}


@app.get("/messages/{id}")
async def read(id: int):
    async with sessions() as session:
        message = await session.get(Message, id)
        return {"id": message.id, "room": message.room, "body": message.body, "created_at": message.created_at}
