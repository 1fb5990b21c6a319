-- migrate:up
-- Id of the one-time link, whose content is fetched from user-service when the mail is sent.
ALTER TABLE deliveries ADD COLUMN link_id CHAR(36) CHARACTER SET ascii NULL;

-- migrate:down
DELETE FROM deliveries WHERE link_id IS NOT NULL;
ALTER TABLE deliveries DROP COLUMN link_id;
