-- migrate:up
ALTER TABLE rooms
  ADD COLUMN posting VARCHAR(8) CHARACTER SET ascii NOT NULL DEFAULT 'everyone' COMMENT 'everyone, admins',
  ADD COLUMN slow_mode_seconds INT UNSIGNED NOT NULL DEFAULT 0;

-- Silenced members. Separate from the membership, so that leaving and returning does not end a mute.
CREATE TABLE room_silences (
  room_id BIGINT UNSIGNED NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  silenced_until DATETIME(3) NOT NULL,
  PRIMARY KEY (room_id, user_id),
  KEY room_silences_by_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- A banned user cannot be invited either.
ALTER TABLE room_removals ADD COLUMN banned TINYINT(1) NOT NULL DEFAULT 0;

-- Audit log of a group: the actions of its owner and admins. Append-only.
CREATE TABLE room_audit (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  room_id BIGINT UNSIGNED NOT NULL,
  actor_id BIGINT UNSIGNED NOT NULL,
  action VARCHAR(24) CHARACTER SET ascii NOT NULL,
  target_id BIGINT UNSIGNED NULL,
  detail VARCHAR(200) NULL COMMENT 'The new value',
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY room_audit_by_room (room_id, id),
  KEY room_audit_by_time (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE room_audit;
ALTER TABLE room_removals DROP COLUMN banned;
DROP TABLE room_silences;
ALTER TABLE rooms DROP COLUMN slow_mode_seconds, DROP COLUMN posting;
