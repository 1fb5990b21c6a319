-- migrate:up
-- The events of a user are deleted with the account.
ALTER TABLE outbox ADD KEY outbox_msg_key (msg_key);

-- Deletions in progress also wait for the two services that did not confirm before, which are notified again.
INSERT INTO account_deletion_steps (deletion_id, step, done_at)
SELECT d.id, s.step, NULL FROM account_deletions d
JOIN (SELECT 'notification-service' AS step UNION ALL SELECT 'analytics-service') s
WHERE d.state = 'running';
UPDATE account_deletions SET announced_at = '2000-01-01 00:00:00.000' WHERE state = 'running';

-- migrate:down
DELETE FROM account_deletion_steps WHERE step IN ('notification-service', 'analytics-service');
ALTER TABLE outbox DROP KEY outbox_msg_key;
