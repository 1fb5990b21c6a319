-- migrate:up
-- SHA-256 of a username's skeleton (UTS 39), so that no two usernames look alike. A deleted account reserves it for
-- 90 days. Null: created before this column, or released.
ALTER TABLE users ADD COLUMN username_skeleton BINARY(32) NULL;
ALTER TABLE users ADD UNIQUE KEY users_username_skeleton (username_skeleton);

-- migrate:down
ALTER TABLE users DROP KEY users_username_skeleton;
ALTER TABLE users DROP COLUMN username_skeleton;
