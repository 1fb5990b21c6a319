-- migrate:up
-- The newest message when the member joined: earlier messages do not count as unread.
ALTER TABLE room_members ADD COLUMN joined_seq BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE room_members DROP COLUMN joined_seq;
