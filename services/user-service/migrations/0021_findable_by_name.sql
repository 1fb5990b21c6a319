-- migrate:up
ALTER TABLE users ADD COLUMN findable_by_name TINYINT(1) NOT NULL DEFAULT 1;

-- migrate:down
ALTER TABLE users DROP COLUMN findable_by_name;
