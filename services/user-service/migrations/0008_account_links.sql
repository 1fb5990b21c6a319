-- migrate:up
ALTER TABLE users
  ADD COLUMN email_verified_at DATETIME(3) NULL,
  ADD COLUMN username_changed_at DATETIME(3) NULL;

-- One-time links in mails. The token is a signature of the id and is never stored.
CREATE TABLE account_links (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  purpose VARCHAR(16) CHARACTER SET ascii NOT NULL COMMENT 'verify_email, change_email, undo_email, reset_password',
  -- The recipient; for change_email and undo_email also the new address.
  email VARCHAR(254) COLLATE utf8mb4_bin NOT NULL,
  created_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  used_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  KEY account_links_by_user (user_id, purpose),
  KEY account_links_by_email (email, purpose),
  KEY account_links_by_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Digests of the skeletons of released usernames, which stay reserved for some time.
CREATE TABLE reserved_usernames (
  skeleton BINARY(32) NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  reserved_until DATETIME(3) NOT NULL,
  PRIMARY KEY (skeleton),
  KEY reserved_usernames_by_user (user_id),
  KEY reserved_usernames_by_end (reserved_until)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE reserved_usernames;
DROP TABLE account_links;
ALTER TABLE users DROP COLUMN username_changed_at, DROP COLUMN email_verified_at;
