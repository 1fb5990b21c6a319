-- migrate:up
-- Incremented by every published change of the profile: other services order profiles by it, not by clocks.
ALTER TABLE users ADD COLUMN version INT UNSIGNED NOT NULL DEFAULT 1;

-- migrate:down
ALTER TABLE users DROP COLUMN version;
