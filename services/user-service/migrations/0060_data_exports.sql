-- migrate:up
-- At most one archive per user: a new one replaces the old one.
CREATE TABLE data_exports (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id INT UNSIGNED NOT NULL,
  state VARCHAR(8) CHARACTER SET ascii NOT NULL COMMENT 'pending, ready, failed',
  requested_at DATETIME(3) NOT NULL,
  finished_at DATETIME(3) NULL,
  -- Lease of the process that builds the archive; after `leased_until` another process takes over.
  lease_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  leased_until DATETIME(3) NOT NULL,
  attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY data_exports_user (user_id),
  KEY data_exports_by_state (state, leased_until)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The parts that are complete.
CREATE TABLE data_export_parts (
  export_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  part VARCHAR(20) CHARACTER SET ascii NOT NULL,
  size BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (export_id, part)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE data_export_chunks (
  export_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  part VARCHAR(20) CHARACTER SET ascii NOT NULL,
  position INT UNSIGNED NOT NULL,
  -- Gzip.
  content MEDIUMBLOB NOT NULL,
  PRIMARY KEY (export_id, part, position)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- migrate:down
DELETE FROM account_links WHERE purpose = 'download_export';
DROP TABLE data_export_chunks;
DROP TABLE data_export_parts;
DROP TABLE data_exports;
