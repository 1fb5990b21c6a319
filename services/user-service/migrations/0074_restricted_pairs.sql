-- migrate:up
-- Local copy, fed by friend.events: neither user of such a pair sees the presence of the other.
CREATE TABLE restricted_pairs (
  restricter_id INT UNSIGNED NOT NULL,
  restricted_id INT UNSIGNED NOT NULL,
  PRIMARY KEY (restricter_id, restricted_id),
  KEY restricted_pairs_by_restricted (restricted_id, restricter_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE restricted_pairs;
