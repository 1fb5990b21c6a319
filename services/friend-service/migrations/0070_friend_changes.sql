-- migrate:up
-- The latest change of each of a user's friends, for clients that keep a copy of the list.
CREATE TABLE friend_changes (
  owner_id BIGINT NOT NULL,
  friend_id BIGINT NOT NULL,
  version BIGINT UNSIGNED NOT NULL,
  changed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (owner_id, friend_id),
  UNIQUE KEY friend_changes_by_version (owner_id, version),
  KEY friend_changes_by_time (changed_at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The last version assigned to each owner. Its row is locked until the change commits, so versions are
-- committed in order.
CREATE TABLE friend_change_heads (
  owner_id BIGINT NOT NULL PRIMARY KEY,
  version BIGINT UNSIGNED NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The time at which the copy of the profile last changed.
ALTER TABLE people ADD COLUMN changed_at DATETIME(3) NOT NULL DEFAULT '2000-01-01 00:00:00.000';

-- migrate:down
ALTER TABLE people DROP COLUMN changed_at;
DROP TABLE friend_change_heads;
DROP TABLE friend_changes;
