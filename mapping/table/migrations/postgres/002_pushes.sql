-- What became of what rows send to Loops: one line for each row and contact update, and
-- for each event of a row by its Idempotency-Key.
CREATE TABLE IF NOT EXISTS loopmap_pushes (
  table_name      text NOT NULL,
  row_key         text NOT NULL,
  kind            text NOT NULL,            -- contact, or the event's name
  idempotency_key text NOT NULL DEFAULT '', -- of events; '' where nothing was sent
  status          text NOT NULL CHECK (status IN ('sent', 'not_met', 'failed', 'pending')),
  code            integer,                  -- HTTP status of the last answer
  message         text,                     -- what the API said, or why nothing was sent
  attempts        integer NOT NULL,
  sent_at         timestamptz,                     -- when it was last sent
  hash            text,                     -- of what was last sent
  tried           text,                     -- of what was tried last
  body            text,                     -- as last sent; of an event that is pending: as it is being sent
  first_at        timestamptz,                     -- when what may have arrived was first tried
  next_at         timestamptz,                     -- when a pending one is tried again
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (table_name, row_key, kind, idempotency_key)
);
CREATE INDEX IF NOT EXISTS loopmap_pushes_key ON loopmap_pushes (idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX IF NOT EXISTS loopmap_pushes_open ON loopmap_pushes (table_name, status, row_key) WHERE status IN ('failed', 'pending');
CREATE INDEX IF NOT EXISTS loopmap_pushes_newest ON loopmap_pushes (table_name, updated_at);
-- Rows that have changed and were not looked at since, where push.auto is on.
CREATE TABLE IF NOT EXISTS loopmap_changes (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- never used twice
  table_name text NOT NULL,
  row_key    text NOT NULL,
  UNIQUE (table_name, row_key)
);
