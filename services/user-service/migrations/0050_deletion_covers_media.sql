-- migrate:up
-- Deletions in progress also wait for media-service, which is notified again.
INSERT INTO account_deletion_steps (deletion_id, step, done_at)
SELECT id, 'media-service', NULL FROM account_deletions WHERE state = 'running';
UPDATE account_deletions SET announced_at = '2000-01-01 00:00:00.000' WHERE state = 'running';

-- migrate:down
DELETE FROM account_deletion_steps WHERE step = 'media-service';
