-- migrate:up

-- Append-only: the changed fields of each user's row, written in the transaction of the change. Erased with the account.
CREATE TABLE user_events (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  user_id INT UNSIGNED NOT NULL,
  type VARCHAR(24) CHARACTER SET ascii NOT NULL,
  data TEXT NOT NULL COMMENT 'JSON: the fields that the event set',
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY user_events_by_user (user_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The history of existing users begins with a snapshot.
INSERT INTO user_events (user_id, type, data, created_at)
SELECT id, 'snapshot', JSON_OBJECT(
  'email', email, 'username', username, 'displayName', display_name, 'statusMessage', status_message,
  'profileImageUrl', profile_image_url, 'age', age, 'phone', phone, 'locale', locale,
  'presenceVisibility', presence_visibility, 'findableByName', findable_by_name, 'findableByEmail', findable_by_email,
  'status', status, 'role', role, 'loginCount', login_count,
  'createdAt', DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%fZ'),
  'updatedAt', DATE_FORMAT(updated_at, '%Y-%m-%dT%H:%i:%s.%fZ'),
  'emailVerifiedAt', DATE_FORMAT(email_verified_at, '%Y-%m-%dT%H:%i:%s.%fZ'),
  'usernameChangedAt', DATE_FORMAT(username_changed_at, '%Y-%m-%dT%H:%i:%s.%fZ'),
  'lastLoginAt', DATE_FORMAT(last_login_at, '%Y-%m-%dT%H:%i:%s.%fZ'),
  'devicesTrustedFrom', DATE_FORMAT(devices_trusted_from, '%Y-%m-%dT%H:%i:%s.%fZ')
), UTC_TIMESTAMP(3)
FROM users ORDER BY id;

-- migrate:down
DROP TABLE user_events;
