-- migrate:up
-- Recently ended sessions, for services during a Kafka outage. Ids only, kept for an hour even after the account's deletion.
CREATE TABLE session_revocations (
  session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  revoked_at DATETIME(3) NOT NULL,
  PRIMARY KEY (session_id),
  KEY session_revocations_by_time (revoked_at, session_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE session_revocations;
