-- migrate:up
-- Change counters of a user's lists. The cursor of a stream contains both, so that a reconnecting client learns
-- which list to fetch again.
CREATE TABLE list_versions (
  user_id BIGINT UNSIGNED NOT NULL,
  friends BIGINT UNSIGNED NOT NULL DEFAULT 0,
  rooms BIGINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id)
);

-- migrate:down
DROP TABLE list_versions;
