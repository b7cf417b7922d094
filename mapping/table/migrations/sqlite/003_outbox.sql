-- Changes of rows that were not looked at since, where push.auto is on: a line for each
-- time that a row was written. Triggers on the user's table do no more than append here.
CREATE TABLE loopmap_outbox (
  seq        INTEGER PRIMARY KEY, -- in the order of the changes
  table_name TEXT NOT NULL,
  row_key    TEXT NOT NULL
);
