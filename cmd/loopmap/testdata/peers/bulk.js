// The loader that a developer would write for a file of deliveries, one JSON object a
// line, into SQLite:
//
//   node bulk.js --from FILE [--no-journal]
//
// It keeps every line in deliveries, and its row in contacts; with --no-journal the row
// alone.
const { createReadStream } = require('node:fs');
const { parseArgs } = require('node:util');
const Database = require('better-sqlite3');

const { values: flags } = parseArgs({ options: { from: { type: 'string' }, 'no-journal': { type: 'boolean' } } });
const db = new Database('contacts.db');
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.pragma('cache_size = -64000');
db.exec(`CREATE TABLE IF NOT EXISTS deliveries (webhook_id TEXT PRIMARY KEY, line TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS contacts (
  loops_id TEXT PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT,
  source TEXT, user_group TEXT, signed_up TEXT, company TEXT)`);
const keep = db.prepare('INSERT INTO deliveries VALUES (?, ?) ON CONFLICT (webhook_id) DO NOTHING');
const upsert = db.prepare(`INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (loops_id) DO UPDATE SET email = excluded.email, first_name = excluded.first_name,
    last_name = excluded.last_name, source = excluded.source, user_group = excluded.user_group,
    signed_up = excluded.signed_up, company = excluded.company
  WHERE excluded.signed_up >= signed_up`);

function store(line) {
  const { id, body } = JSON.parse(line);
  if (!flags['no-journal'] && keep.run(id, line).changes === 0) {
    return;
  }
  const c = body.contact;
  upsert.run(body.contactIdentity.id, c.email, c.firstName, c.lastName, c.source, c.userGroup,
    new Date(body.eventTime * 1000).toISOString(), c.companyName);
}

async function main() {
  let rest = '';
  let rows = 0;
  db.exec('BEGIN');
  for await (const chunk of createReadStream(flags.from, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      store(line);
      if (++rows % 50000 === 0) {
        db.exec('COMMIT; BEGIN');
      }
    }
  }
  if (rest !== '') {
    store(rest);
  }
  db.exec('COMMIT');
  db.close();
}

main();
