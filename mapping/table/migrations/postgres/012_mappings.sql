-- The text of each version of the mapping file that has mapped something.
CREATE TABLE IF NOT EXISTS loopmap_mappings (
  hash          text NOT NULL PRIMARY KEY, -- as loopmap_deliveries.mapping
  text          text NOT NULL,             -- the file, byte for byte
  first_used_at timestamptz NOT NULL
);
