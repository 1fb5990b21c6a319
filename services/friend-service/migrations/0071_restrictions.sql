-- migrate:up
ALTER TABLE friendships
  ADD COLUMN restricted_by_low_at DATETIME(3) NULL,
  ADD COLUMN restricted_by_high_at DATETIME(3) NULL,
  ADD KEY friendships_restricted_by_low (user_low, restricted_by_low_at, user_high),
  ADD KEY friendships_restricted_by_high (user_high, restricted_by_high_at, user_low);

-- migrate:down
ALTER TABLE friendships
  DROP KEY friendships_restricted_by_low,
  DROP KEY friendships_restricted_by_high,
  DROP COLUMN restricted_by_low_at,
  DROP COLUMN restricted_by_high_at;
