-- migrate:up
-- Mails and pushes are claimed apart: neither waits behind the other's queue.
ALTER TABLE deliveries DROP KEY deliveries_due, ADD KEY deliveries_due (state, channel, due_at);

-- migrate:down
ALTER TABLE deliveries DROP KEY deliveries_due, ADD KEY deliveries_due (state, due_at);
