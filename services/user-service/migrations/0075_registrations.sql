-- migrate:up
-- Sign-ups with picture and settings. The account is a row of `users` with the status 'reserved' until the last step.
CREATE TABLE registrations (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  state VARCHAR(9) CHARACTER SET ascii NOT NULL COMMENT 'running, completed, failed',
  has_picture BOOLEAN NOT NULL,
  has_settings BOOLEAN NOT NULL,
  -- Picture and settings are cleared when the registration ends.
  picture_mime VARCHAR(20) CHARACTER SET ascii NULL,
  picture MEDIUMBLOB NULL,
  settings VARCHAR(1000) NULL COMMENT 'JSON: notification preferences',
  file_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  picture_done_at DATETIME(3) NULL,
  settings_done_at DATETIME(3) NULL,
  failure VARCHAR(20) CHARACTER SET ascii NULL,
  failure_detail VARCHAR(300) NULL,
  requested_at DATETIME(3) NOT NULL,
  due_at DATETIME(3) NOT NULL,
  finished_at DATETIME(3) NULL,
  -- Lease of the process that performs the steps; after `leased_until` another process takes over.
  lease_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  leased_until DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY registrations_user (user_id),
  KEY registrations_by_state (state, leased_until),
  KEY registrations_by_end (finished_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE registrations;
