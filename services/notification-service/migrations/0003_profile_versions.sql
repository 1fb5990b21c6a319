-- migrate:up
-- Profiles are ordered by the version of the user's row, because clocks of machines differ.
ALTER TABLE contacts ADD COLUMN version BIGINT UNSIGNED NOT NULL DEFAULT 0, DROP COLUMN source_at;

-- migrate:down
ALTER TABLE contacts ADD COLUMN source_at DATETIME(3) NOT NULL DEFAULT '2000-01-01', DROP COLUMN version;
