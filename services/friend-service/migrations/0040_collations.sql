-- migrate:up

-- Without COLLATE the server's default applies, which differs between MySQL and MariaDB.
ALTER TABLE friendships
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE inbox
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE outbox
  MODIFY msg_key VARCHAR(200) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY payload MEDIUMTEXT COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY headers TEXT COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY parked_reason VARCHAR(300) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE people
  MODIFY username VARCHAR(100) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY display_name VARCHAR(200) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY status_message VARCHAR(1000) COLLATE utf8mb4_unicode_ci NULL,
  MODIFY profile_image_url VARCHAR(2048) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE request_ids
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE request_senders
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- migrate:down

-- Older code also works with these collations.
DO 0;
