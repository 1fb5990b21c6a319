-- migrate:up
-- Of a mail with a one-time link: what to ask user-service for when it is sent.
ALTER TABLE deliveries ADD COLUMN link_id CHAR(36) CHARACTER SET ascii NULL;

-- migrate:down
DELETE FROM deliveries WHERE link_id IS NOT NULL;
ALTER TABLE deliveries DROP COLUMN link_id;
