/**
 * The tables of outbox and inbox, to be included in a migration of each service that uses them. Valid on
 * MariaDB
 * 10.11 and MySQL 8.4. Payload and headers are text, because a JSON column would reorder the keys on MySQL
 * and the
 * event must be published exactly as stored.
 */
export const outboxTableSql = `CREATE TABLE outbox (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event_id CHAR(36) CHARACTER SET ascii NOT NULL,
  topic VARCHAR(100) CHARACTER SET ascii NOT NULL,
  msg_key VARCHAR(200) NOT NULL,
  event_type VARCHAR(64) CHARACTER SET ascii NOT NULL,
  payload MEDIUMTEXT NOT NULL,
  headers TEXT NOT NULL,
  created_at DATETIME(3) NOT NULL,
  sent TINYINT NOT NULL DEFAULT 0 COMMENT '0 waiting, 1 published, 2 parked',
  parked_reason VARCHAR(300) NULL,
  UNIQUE KEY outbox_event_id (event_id),
  KEY outbox_sent_id (sent, id)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`

export const inboxTableSql = `CREATE TABLE inbox (
  consumer VARCHAR(64) CHARACTER SET ascii NOT NULL,
  event_id CHAR(36) CHARACTER SET ascii NOT NULL,
  processed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (consumer, event_id),
  KEY inbox_processed_at (processed_at)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`
