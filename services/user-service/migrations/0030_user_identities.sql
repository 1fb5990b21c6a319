-- migrate:up
-- A user's identity at an identity provider, keyed by subject: the address may be reassigned to another person.
CREATE TABLE user_identities (
  provider VARCHAR(16) CHARACTER SET ascii NOT NULL,
  subject VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  linked_at DATETIME(3) NOT NULL,
  PRIMARY KEY (provider, subject),
  UNIQUE KEY user_identities_by_user (user_id, provider),
  CONSTRAINT user_identities_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE user_identities;
