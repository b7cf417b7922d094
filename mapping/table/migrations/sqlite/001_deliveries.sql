-- What came in: one line for each webhook-id, kept for ever.
CREATE TABLE IF NOT EXISTS loopmap_deliveries (
  id          TEXT NOT NULL PRIMARY KEY, -- webhook-id
  event       TEXT,                      -- eventName, NULL when the body has none
  event_time  TEXT,                      -- eventTime, RFC 3339 in UTC
  received_at TEXT NOT NULL,             -- RFC 3339 in UTC
  body        BLOB,                      -- the exact bytes; NULL once journal.keep is over
  status      TEXT NOT NULL CHECK (status IN ('applied', 'ignored', 'quarantined', 'pending')),
  reason      TEXT,                      -- why it is no row, or not yet
  row_key     TEXT,                      -- the key of the row that it is about
  mapping     TEXT                       -- hash of the mapping file that mapped it; NULL: none has
);
CREATE INDEX IF NOT EXISTS loopmap_deliveries_row ON loopmap_deliveries (row_key, coalesce(event_time, received_at)) WHERE status = 'applied';
CREATE INDEX IF NOT EXISTS loopmap_deliveries_waiting ON loopmap_deliveries (status) WHERE status IN ('quarantined', 'pending');
