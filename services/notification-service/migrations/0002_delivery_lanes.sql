-- migrate:up
-- Mails and pushes are claimed separately, so that neither queue delays the other.
ALTER TABLE deliveries DROP KEY deliveries_due, ADD KEY deliveries_due (state, channel, due_at);

-- migrate:down
ALTER TABLE deliveries DROP KEY deliveries_due, ADD KEY deliveries_due (state, due_at);
