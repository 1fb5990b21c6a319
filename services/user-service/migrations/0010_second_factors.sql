-- migrate:up
ALTER TABLE users
  ADD COLUMN login_count INT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN last_login_at DATETIME(3) NULL,
  -- Device tokens issued before this time are invalid.
  ADD COLUMN devices_trusted_from DATETIME(3) NULL;

-- `totp_secret` (encrypted) sets up an authenticator app, which is active from `totp_enabled_at` on.
ALTER TABLE credentials
  ADD COLUMN totp_secret VARBINARY(200) NULL,
  ADD COLUMN totp_enabled_at DATETIME(3) NULL,
  -- The time step of the newest used code, because a code works once.
  ADD COLUMN totp_last_step INT UNSIGNED NOT NULL DEFAULT 0;

CREATE TABLE recovery_codes (
  user_id INT UNSIGNED NOT NULL,
  -- SHA-256: a code has 50 random bits.
  code_hash BINARY(32) NOT NULL,
  used_at DATETIME(3) NULL,
  PRIMARY KEY (user_id, code_hash),
  CONSTRAINT recovery_codes_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE passkeys (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  -- Assigned by the authenticator: at most 1,023 bytes (WebAuthn, 4).
  credential_id VARBINARY(1023) NOT NULL,
  -- COSE_Key.
  public_key VARBINARY(2000) NOT NULL,
  counter INT UNSIGNED NOT NULL,
  transports VARCHAR(100) CHARACTER SET ascii NOT NULL,
  name VARCHAR(50) NOT NULL,
  created_at DATETIME(3) NOT NULL,
  last_used_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY passkeys_credential (credential_id),
  KEY passkeys_by_user (user_id),
  CONSTRAINT passkeys_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The session that an end_session link ends.
ALTER TABLE account_links ADD COLUMN session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL;

-- migrate:down
DELETE FROM account_links WHERE purpose = 'end_session';
ALTER TABLE account_links DROP COLUMN session_id;
DROP TABLE passkeys;
DROP TABLE recovery_codes;
ALTER TABLE credentials
  DROP COLUMN totp_last_step, DROP COLUMN totp_enabled_at, DROP COLUMN totp_secret;
ALTER TABLE users DROP COLUMN devices_trusted_from, DROP COLUMN last_login_at, DROP COLUMN login_count;
