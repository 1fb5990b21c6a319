-- migrate:up
-- Local copy, fed by friend.events: a push to a blocked user must not name the blocker.
CREATE TABLE blocks (
  blocker_id BIGINT NOT NULL,
  blocked_id BIGINT NOT NULL,
  PRIMARY KEY (blocker_id, blocked_id),
  KEY blocks_by_blocked (blocked_id)
) CHARACTER SET utf8mb4;

-- migrate:down
DROP TABLE blocks;
