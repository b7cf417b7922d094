-- Which contact of Loops a row is, where an answer has told it.
CREATE TABLE IF NOT EXISTS loopmap_contacts (
  table_name TEXT NOT NULL,
  row_key    TEXT NOT NULL,
  contact_id TEXT NOT NULL, -- of Loops
  PRIMARY KEY (table_name, row_key)
) WITHOUT ROWID;
-- How often Loops has refused an event, whichever row it was of: each next try has another
-- Idempotency-Key.
CREATE TABLE IF NOT EXISTS loopmap_refusals (
  table_name      TEXT NOT NULL,
  kind            TEXT NOT NULL,
  idempotency_key TEXT NOT NULL, -- of the first try
  refusals        INTEGER NOT NULL,
  PRIMARY KEY (table_name, kind, idempotency_key)
) WITHOUT ROWID;
-- Whether a row's contact was deleted is asked before it is sent.
CREATE INDEX IF NOT EXISTS loopmap_deliveries_deleted ON loopmap_deliveries (row_key) WHERE event = 'contact.deleted';
-- When all rows were last sent on a schedule.
CREATE TABLE IF NOT EXISTS loopmap_schedules (
  table_name TEXT NOT NULL PRIMARY KEY,
  every      TEXT NOT NULL, -- push.every, as the mapping said it
  last_at    TEXT NOT NULL  -- RFC 3339 in UTC; of a schedule that has not run yet: when it began
);
-- Processes that wait for their turn to send.
CREATE TABLE IF NOT EXISTS loopmap_waiting (
  id    TEXT NOT NULL PRIMARY KEY,
  since TEXT NOT NULL -- RFC 3339 in UTC
);
