-- migrate:up

-- Without COLLATE the server's default applies, which differs between MySQL and MariaDB.
ALTER TABLE doomed_objects
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE files
  MODIFY name VARCHAR(255) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY refusal_detail VARCHAR(300) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE file_uses
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE inbox
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE jobs
  MODIFY error_detail VARCHAR(300) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE outbox
  MODIFY msg_key VARCHAR(200) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY payload MEDIUMTEXT COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY headers TEXT COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY parked_reason VARCHAR(300) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE storage_owners
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE workers
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- migrate:down

-- Older code also works with these collations.
DO 0;
