-- migrate:up
-- Links by which somebody asks to be the owner's friend. Never the token: who reads the database cannot use it.
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
