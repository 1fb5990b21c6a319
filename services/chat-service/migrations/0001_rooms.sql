-- migrate:up
CREATE TABLE rooms (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  room_type VARCHAR(8) NOT NULL,
  -- "low:high", the user ids of a direct room: at most one room per pair.
  direct_key VARCHAR(41) CHARACTER SET ascii COLLATE ascii_bin NULL,
  name VARCHAR(100) NULL,
  image_url VARCHAR(1000) NULL,
  history_visibility VARCHAR(12) NOT NULL DEFAULT 'all',
  created_by BIGINT UNSIGNED NOT NULL,
  -- Denormalized, so that the limit is checked under the lock of this row.
  member_count INT UNSIGNED NOT NULL DEFAULT 0,
  -- Lags the messages by at most a second; the room list also queries newer messages.
  last_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
  last_activity_at DATETIME(3) NOT NULL,
  created_at DATETIME(3) NOT NULL,
  deleted_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY rooms_direct_key (direct_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE room_members (
  room_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  role VARCHAR(8) NOT NULL,
  joined_at DATETIME(3) NOT NULL,
  visible_from_seq BIGINT UNSIGNED NOT NULL DEFAULT 1,
  -- A time far in the future means muted without an end.
  muted_until DATETIME(3) NULL,
  pinned_at DATETIME(3) NULL,
  archived_at DATETIME(3) NULL,
  PRIMARY KEY (room_id, user_id),
  KEY room_members_by_user (user_id, room_id, pinned_at, archived_at),
  KEY room_members_by_joining (room_id, joined_at, user_id),
  CONSTRAINT room_members_room FOREIGN KEY (room_id) REFERENCES rooms (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The number of rooms of a user. Its row is the lock under which the limit is checked.
CREATE TABLE room_counts (
  user_id BIGINT UNSIGNED NOT NULL,
  rooms INT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Users removed from a room can rejoin by invitation only, not by a link.
CREATE TABLE room_removals (
  room_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  removed_by BIGINT UNSIGNED NOT NULL,
  removed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (room_id, user_id),
  KEY room_removals_by_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE room_links (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  room_id BIGINT UNSIGNED NOT NULL,
  -- SHA-256, so that a reader of the database cannot use the link.
  token_hash BINARY(32) NOT NULL,
  created_by BIGINT UNSIGNED NOT NULL,
  created_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NULL,
  max_uses INT UNSIGNED NULL,
  uses INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY room_links_token_hash (token_hash),
  KEY room_links_by_room (room_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE room_links;
DROP TABLE room_removals;
DROP TABLE room_counts;
DROP TABLE room_members;
DROP TABLE rooms;
