-- What came in: one line for each webhook-id, kept for ever.
CREATE TABLE IF NOT EXISTS loopmap_deliveries (
  id          text NOT NULL PRIMARY KEY,                -- webhook-id
  seq         bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- in the order of arrival, nearly
  event       text,                                     -- eventName, NULL when the body has none
  event_time  timestamptz,                              -- eventTime
  received_at timestamptz NOT NULL,
  body        bytea,                                    -- the exact bytes; NULL once journal.keep is over
  status      text NOT NULL CHECK (status IN ('applied', 'ignored', 'quarantined', 'pending')),
  reason      text,                                     -- why it is no row, or not yet
  row_key     text,                                     -- the key of the row that it is about
  mapping     text                                      -- hash of the mapping file that mapped it; NULL: none has
);
CREATE INDEX IF NOT EXISTS loopmap_deliveries_row ON loopmap_deliveries (row_key, coalesce(event_time, received_at)) WHERE status = 'applied';
CREATE INDEX IF NOT EXISTS loopmap_deliveries_waiting ON loopmap_deliveries (status) WHERE status IN ('quarantined', 'pending');
