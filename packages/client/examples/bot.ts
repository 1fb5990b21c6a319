import { ApiProblem, createChatClient, type Message } from '@bigtech/client'

/** Replies to every message in its rooms with the same text: `node examples/bot.ts bot@example.com 'password'` */
const usage = 'node examples/bot.ts EMAIL PASSWORD   (API_URL, by default http://localhost:8000/api)'
const [email, password] = process.argv.slice(2)
if (email === '--help') exit(0, usage)
if (email?.startsWith('-')) exit(2, `Unknown option ${email}.\n${usage}`)
if (!email || !password) exit(2, `An address and a password are needed.\n${usage}`)

const baseUrl = process.env.API_URL ?? 'http://localhost:8000/api'
const { api, session, stream } = createChatClient({ baseUrl, onSignedOut: () => process.exit(1) })
const { userId } = await session.login(email, password).catch((err: Error) => exit(1, err.message))

function exit(code: number, text: string): never {
  console[code === 0 ? 'log' : 'error'](text)
  process.exit(code)
}

async function answer({ room_id, message_id, content }: Message): Promise<void> {
  try {
    // A deterministic id: the bot replies once, even after restarts.
    const body = {
      content: `You said: ${content}`,
      reply_to: message_id,
      client_message_id: `bot-${message_id}`,
    }
    await api.sendMessage({ params: { room_id }, body })
  } catch (err) {
    if (!(err instanceof ApiProblem)) throw err
    console.error(`message not handled: ${err.code} ${err.message}`)
  }
}

const onState = (state: string, reason?: { kind: string }) => console.log(state, reason?.kind ?? '')
const events = stream({ onFrame: () => undefined, onState })
process.once('SIGINT', () => events.close())
events.start()
for await (const frame of events) {
  if (frame.event !== 'message') continue
  const { message } = frame.data
  if (message.user_id !== userId && message.message_type === 'text') await answer(message)
}
