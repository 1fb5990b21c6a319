-- migrate:up
ALTER TABLE contact_pairs
  ADD COLUMN low_restricts_high TINYINT(1) NOT NULL DEFAULT 0,
  ADD COLUMN high_restricts_low TINYINT(1) NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE contact_pairs DROP COLUMN low_restricts_high, DROP COLUMN high_restricts_low;
