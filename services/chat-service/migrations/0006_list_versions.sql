-- migrate:up
-- How often what a user fetches as a list has changed. The cursor of a stream carries both numbers, so a client
-- that comes back is told which list to fetch again.
CREATE TABLE list_versions (
  user_id BIGINT UNSIGNED NOT NULL,
  friends BIGINT UNSIGNED NOT NULL DEFAULT 0,
  rooms BIGINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id)
);

-- migrate:down
DROP TABLE list_versions;
