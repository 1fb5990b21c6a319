-- migrate:up
-- A user's private notes about a friend.
CREATE TABLE friend_notes (
  owner_id BIGINT NOT NULL,
  friend_id BIGINT NOT NULL,
  nickname VARCHAR(50) NULL,
  favourite TINYINT(1) NOT NULL DEFAULT 0,
  hidden TINYINT(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (owner_id, friend_id),
  KEY friend_notes_about (friend_id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE TABLE friend_settings (
  user_id BIGINT NOT NULL PRIMARY KEY,
  requests_from VARCHAR(20) CHARACTER SET ascii NOT NULL DEFAULT 'everyone' COMMENT 'everyone, friends_of_friends, nobody'
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

ALTER TABLE friendships ADD COLUMN request_message VARCHAR(200) COLLATE utf8mb4_unicode_ci NULL;

-- migrate:down
ALTER TABLE friendships DROP COLUMN request_message;
DROP TABLE friend_settings;
DROP TABLE friend_notes;
