-- migrate:up
-- Local copies of users and relations, fed by user.events and friend.events.
CREATE TABLE contact_users (
  user_id BIGINT UNSIGNED NOT NULL,
  username VARCHAR(100) NOT NULL,
  display_name VARCHAR(200) NOT NULL,
  profile_image_url VARCHAR(1000) NULL,
  -- Time of the event behind this row: older events must not overwrite it.
  as_of DATETIME(3) NOT NULL,
  deleted_at DATETIME(3) NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One row per pair of users that ever had a relation; `low` is the smaller id.
CREATE TABLE contact_pairs (
  low BIGINT UNSIGNED NOT NULL,
  high BIGINT UNSIGNED NOT NULL,
  friends TINYINT(1) NOT NULL DEFAULT 0,
  low_blocks_high TINYINT(1) NOT NULL DEFAULT 0,
  high_blocks_low TINYINT(1) NOT NULL DEFAULT 0,
  as_of DATETIME(3) NOT NULL,
  PRIMARY KEY (low, high),
  KEY contact_pairs_by_high (high, low)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE contact_settings (
  user_id BIGINT UNSIGNED NOT NULL,
  strangers_may_add TINYINT(1) NOT NULL DEFAULT 0,
  updated_at DATETIME(3) NOT NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE contact_settings;
DROP TABLE contact_pairs;
DROP TABLE contact_users;
