-- migrate:up
CREATE TABLE daily_totals (
  day DATE NOT NULL,
  metric VARCHAR(40) CHARACTER SET ascii NOT NULL,
  total BIGINT NOT NULL,
  PRIMARY KEY (day, metric)
) CHARACTER SET utf8mb4;

CREATE TABLE daily_active (
  day DATE NOT NULL,
  user_id BIGINT NOT NULL,
  PRIMARY KEY (day, user_id),
  KEY daily_active_user (user_id)
) CHARACTER SET utf8mb4;

CREATE TABLE room_hours (
  room_id BIGINT NOT NULL,
  hour DATETIME(0) NOT NULL,
  messages BIGINT NOT NULL,
  PRIMARY KEY (room_id, hour),
  KEY room_hours_hour (hour)
) CHARACTER SET utf8mb4;

CREATE TABLE erased_users (
  user_id BIGINT NOT NULL PRIMARY KEY
) CHARACTER SET utf8mb4;

CREATE TABLE rebuilds (
  id INT NOT NULL PRIMARY KEY,
  generation INT NOT NULL
) CHARACTER SET utf8mb4;

INSERT INTO rebuilds (id, generation) VALUES (1, 0);

CREATE TABLE inbox (
  consumer VARCHAR(64) CHARACTER SET ascii NOT NULL,
  event_id CHAR(36) CHARACTER SET ascii NOT NULL,
  processed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (consumer, event_id),
  KEY inbox_processed_at (processed_at)
) CHARACTER SET utf8mb4;

-- migrate:down
DROP TABLE inbox;
DROP TABLE rebuilds;
DROP TABLE erased_users;
DROP TABLE room_hours;
DROP TABLE daily_active;
DROP TABLE daily_totals;
