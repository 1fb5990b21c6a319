-- migrate:up
-- Increased by each change of the user's memberships, so that a process can check with one row whether the rooms it knows are complete.
ALTER TABLE room_counts ADD COLUMN version BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE room_counts DROP COLUMN version;
