-- migrate:up

-- Without COLLATE the server's default applies, which differs between MySQL and MariaDB.
ALTER TABLE blocks
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE contacts
  MODIFY email VARCHAR(320) COLLATE utf8mb4_unicode_ci NULL,
  MODIFY username VARCHAR(100) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY display_name VARCHAR(200) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY locale VARCHAR(35) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE deliveries
  MODIFY message_id VARCHAR(40) COLLATE utf8mb4_unicode_ci NULL,
  MODIFY content TEXT COLLATE utf8mb4_unicode_ci NULL,
  MODIFY last_error VARCHAR(300) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE inbox
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE open_streams
  MODIFY instance_id VARCHAR(100) COLLATE utf8mb4_unicode_ci NOT NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE preferences
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE push_subscriptions
  MODIFY endpoint VARCHAR(2048) COLLATE utf8mb4_unicode_ci NOT NULL,
  MODIFY device_name VARCHAR(100) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE rooms
  MODIFY name VARCHAR(200) COLLATE utf8mb4_unicode_ci NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE room_members
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE waiting_messages
  MODIFY event MEDIUMTEXT COLLATE utf8mb4_unicode_ci NOT NULL,
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- migrate:down

-- Older code also works with these collations.
DO 0;
