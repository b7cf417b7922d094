-- Which contact of Loops a row is, where an answer has told it.
CREATE TABLE IF NOT EXISTS loopmap_contacts (
  table_name text NOT NULL,
  row_key    text NOT NULL,
  contact_id text NOT NULL, -- of Loops
  PRIMARY KEY (table_name, row_key)
);
-- How often Loops has refused an event, whichever row it was of: each next try has another
-- Idempotency-Key.
CREATE TABLE IF NOT EXISTS loopmap_refusals (
  table_name      text NOT NULL,
  kind            text NOT NULL,
  idempotency_key text NOT NULL, -- of the first try
  refusals        integer NOT NULL,
  PRIMARY KEY (table_name, kind, idempotency_key)
);
-- Whether a row's contact was deleted is asked before it is sent.
CREATE INDEX IF NOT EXISTS loopmap_deliveries_deleted ON loopmap_deliveries (row_key) WHERE event = 'contact.deleted';
-- When all rows were last sent on a schedule.
CREATE TABLE IF NOT EXISTS loopmap_schedules (
  table_name text NOT NULL PRIMARY KEY,
  every      text NOT NULL, -- push.every, as the mapping said it
  last_at    timestamptz NOT NULL -- of a schedule that has not run yet: when it began
);
-- Processes that wait for their turn to send.
CREATE TABLE IF NOT EXISTS loopmap_waiting (
  id    text NOT NULL PRIMARY KEY,
  since timestamptz NOT NULL
);
