-- migrate:up
-- The newest message when somebody joined: what is before it is not unread to them.
ALTER TABLE room_members ADD COLUMN joined_seq BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE room_members DROP COLUMN joined_seq;
