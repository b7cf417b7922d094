-- What became of what rows send to Loops: one line for each row and contact update, and
-- for each event of a row by its Idempotency-Key.
CREATE TABLE IF NOT EXISTS loopmap_pushes (
  table_name      TEXT NOT NULL,
  row_key         TEXT NOT NULL,
  kind            TEXT NOT NULL,            -- contact, or the event's name
  idempotency_key TEXT NOT NULL DEFAULT '', -- of events; '' where nothing was sent
  status          TEXT NOT NULL CHECK (status IN ('sent', 'not_met', 'failed', 'pending')),
  code            INTEGER,                  -- HTTP status of the last answer
  message         TEXT,                     -- what the API said, or why nothing was sent
  attempts        INTEGER NOT NULL,
  sent_at         TEXT,                     -- when it was last sent; all times RFC 3339 in UTC
  hash            TEXT,                     -- of what was last sent
  tried           TEXT,                     -- of what was tried last
  body            TEXT,                     -- as last sent; of an event that is pending: as it is being sent
  first_at        TEXT,                     -- when what may have arrived was first tried
  next_at         TEXT,                     -- when a pending one is tried again
  updated_at      TEXT NOT NULL,
  PRIMARY KEY (table_name, row_key, kind, idempotency_key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS loopmap_pushes_key ON loopmap_pushes (idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX IF NOT EXISTS loopmap_pushes_open ON loopmap_pushes (table_name, status, row_key) WHERE status IN ('failed', 'pending');
CREATE INDEX IF NOT EXISTS loopmap_pushes_newest ON loopmap_pushes (table_name, updated_at);
-- Rows that have changed and were not looked at since, where push.auto is on.
CREATE TABLE IF NOT EXISTS loopmap_changes (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
  table_name TEXT NOT NULL,
  row_key    TEXT NOT NULL,
  UNIQUE (table_name, row_key)
);
