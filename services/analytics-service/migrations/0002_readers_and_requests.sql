-- migrate:up
ALTER TABLE daily_active ADD COLUMN online TINYINT(1) NOT NULL DEFAULT 0;

CREATE TABLE friend_requests (
  request_id BIGINT NOT NULL PRIMARY KEY,
  sent_on DATE NOT NULL,
  accepted TINYINT(1) NOT NULL DEFAULT 0,
  KEY friend_requests_sent_on (sent_on)
) CHARACTER SET utf8mb4;

-- The day of the request is unknown for earlier acceptances: they count for their own day, at most as many as were sent.
INSERT INTO daily_totals (day, metric, total)
SELECT sent.day, 'friend_requests_converted', LEAST(sent.total, accepted.total)
FROM daily_totals AS sent
JOIN daily_totals AS accepted ON accepted.day = sent.day AND accepted.metric = 'friend_requests_accepted'
WHERE sent.metric = 'friend_requests';

-- migrate:down
DELETE FROM daily_totals WHERE metric = 'friend_requests_converted';
DROP TABLE friend_requests;
DELETE FROM daily_active WHERE online = 1;
ALTER TABLE daily_active DROP COLUMN online;
