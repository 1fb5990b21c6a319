-- migrate:up
-- Links for friend requests to their owner. The token is not stored, so that a reader of the database cannot use a link.
CREATE TABLE friend_invites (
  token_hash BINARY(32) NOT NULL PRIMARY KEY,
  owner_id BIGINT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  KEY friend_invites_by_owner (owner_id, created_at),
  KEY friend_invites_by_end (expires_at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- migrate:down
DROP TABLE friend_invites;
