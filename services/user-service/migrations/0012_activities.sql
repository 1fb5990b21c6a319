-- migrate:up
-- The activity log of an account, for its owner. Written in the transaction of the recorded change; kept for 180 days.
CREATE TABLE user_activities (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  user_id INT UNSIGNED NOT NULL,
  type VARCHAR(40) CHARACTER SET ascii NOT NULL,
  -- JSON: ids and names of changed fields, never their values.
  data VARCHAR(2000) NOT NULL,
  device VARCHAR(100) NULL,
  ip_prefix VARCHAR(50) CHARACTER SET ascii NULL,
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY user_activities_by_user (user_id, id),
  KEY user_activities_by_time (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE user_activities;
