-- migrate:up
-- Local copy, fed by friend.events: a message of a restricted user in a 1:1 room causes no push.
CREATE TABLE restrictions (
  restricter_id BIGINT NOT NULL,
  restricted_id BIGINT NOT NULL,
  PRIMARY KEY (restricter_id, restricted_id),
  KEY restrictions_by_restricted (restricted_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE restrictions;
