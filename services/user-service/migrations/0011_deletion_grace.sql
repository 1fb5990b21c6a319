-- migrate:up
-- A deletion begins at `due_at`; until then its state is `scheduled`, the account's status `leaving`, and a sign-in reverts both.
ALTER TABLE account_deletions ADD COLUMN due_at DATETIME(3) NULL;

-- migrate:down
-- Cancels deletions that have not begun.
UPDATE users SET status = 'active' WHERE status = 'leaving';
DELETE s FROM account_deletion_steps s JOIN account_deletions d ON d.id = s.deletion_id WHERE d.state = 'scheduled';
DELETE FROM account_deletions WHERE state = 'scheduled';
ALTER TABLE account_deletions DROP COLUMN due_at;
