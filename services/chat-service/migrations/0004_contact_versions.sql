-- migrate:up
-- Names and pairs are ordered by the version of their row, because clocks of machines differ.
ALTER TABLE contact_users ADD COLUMN version BIGINT UNSIGNED NOT NULL DEFAULT 0, DROP COLUMN as_of;
ALTER TABLE contact_pairs ADD COLUMN version BIGINT UNSIGNED NOT NULL DEFAULT 0, DROP COLUMN as_of;

-- migrate:down
ALTER TABLE contact_pairs ADD COLUMN as_of DATETIME(3) NOT NULL DEFAULT '2000-01-01', DROP COLUMN version;
ALTER TABLE contact_users ADD COLUMN as_of DATETIME(3) NOT NULL DEFAULT '2000-01-01', DROP COLUMN version;
