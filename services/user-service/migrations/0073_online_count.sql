-- migrate:up
ALTER TABLE users ADD COLUMN online_count INT UNSIGNED NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE users DROP COLUMN online_count;
