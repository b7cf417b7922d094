-- Rows that were deleted and not looked at since, where push.auto is on: a row that has the
-- key later is another one. A trigger on the user's table does no more than append here.
CREATE TABLE loopmap_gone (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
  table_name TEXT NOT NULL,
  row_key    TEXT NOT NULL
);
