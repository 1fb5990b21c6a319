-- migrate:up
-- SHA-256 of what a username looks like (UTS 39): no two accounts look the same. A deleted account keeps it for 90
-- days, so that nobody takes its name at once. Null: from before this column, or released.
ALTER TABLE users ADD COLUMN username_skeleton BINARY(32) NULL;
ALTER TABLE users ADD UNIQUE KEY users_username_skeleton (username_skeleton);

-- migrate:down
ALTER TABLE users DROP KEY users_username_skeleton;
ALTER TABLE users DROP COLUMN username_skeleton;
