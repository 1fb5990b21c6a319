-- migrate:up
ALTER TABLE users
  ADD COLUMN age TINYINT UNSIGNED NULL,
  ADD COLUMN phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'E.164',
  ADD KEY users_by_status (status, id);

-- migrate:down
ALTER TABLE users
  DROP KEY users_by_status,
  DROP COLUMN phone,
  DROP COLUMN age;
