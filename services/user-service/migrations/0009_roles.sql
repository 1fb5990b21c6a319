-- migrate:up
ALTER TABLE users
  ADD COLUMN role VARCHAR(9) CHARACTER SET ascii NOT NULL DEFAULT 'user' COMMENT 'user, moderator, operator';

-- migrate:down
ALTER TABLE users DROP COLUMN role;
