-- Changes of rows that were not looked at since, where push.auto is on: a line for each
-- statement that wrote rows. Triggers on the user's table do no more than append here: a
-- line waits for nothing, and takes no number of a sequence, which lastval() would show.
CREATE TABLE loopmap_outbox (
  table_name text NOT NULL,
  row_keys   text[] NOT NULL,
  noted_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
