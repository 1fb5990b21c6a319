-- migrate:up
-- A request whose receiver blocked its sender disappears from the sender's list.
UPDATE friendships SET status = 'none', request_state = 'void'
WHERE status = 'pending'
  AND ((request_to = user_low AND blocked_by_low_at IS NOT NULL)
    OR (request_to = user_high AND blocked_by_high_at IS NOT NULL));

-- migrate:down
UPDATE friendships SET request_state = 'expired' WHERE request_state = 'void';
