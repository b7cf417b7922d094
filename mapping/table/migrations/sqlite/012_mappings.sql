-- The text of each version of the mapping file that has mapped something.
CREATE TABLE IF NOT EXISTS loopmap_mappings (
  hash          TEXT NOT NULL PRIMARY KEY, -- as loopmap_deliveries.mapping
  text          TEXT NOT NULL,             -- the file, byte for byte
  first_used_at TEXT NOT NULL              -- RFC 3339 in UTC
) WITHOUT ROWID;
