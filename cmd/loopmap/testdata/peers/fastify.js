// The receiver that a developer would write with Fastify and SQLite: a line of a journal
// and the contact's row, in one transaction that is on disk before the answer.
const Database = require('better-sqlite3');
const fastify = require('fastify');
const { Webhook } = require('standardwebhooks');

const webhook = new Webhook(process.env.LOOPS_SIGNING_SECRET);
const db = new Database('contacts.db');
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`CREATE TABLE IF NOT EXISTS journal (
  webhook_id TEXT PRIMARY KEY, received TEXT NOT NULL, body TEXT NOT NULL)`);
db.exec(`CREATE TABLE IF NOT EXISTS contacts (
  loops_id TEXT PRIMARY KEY, email TEXT, first_name TEXT, last_name TEXT,
  source TEXT, user_group TEXT, signed_up TEXT, company TEXT)`);
const note = db.prepare('INSERT INTO journal VALUES (?, ?, ?) ON CONFLICT (webhook_id) DO NOTHING');
const upsert = db.prepare(`INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (loops_id) DO UPDATE SET
  email = excluded.email, first_name = excluded.first_name, last_name = excluded.last_name, source = excluded.source,
  user_group = excluded.user_group, signed_up = excluded.signed_up, company = excluded.company`);
const store = db.transaction((id, body, row) => {
  if (note.run(id, new Date().toISOString(), body).changes > 0) upsert.run(row);
});

const app = fastify();
app.removeContentTypeParser('application/json');
app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => done(null, body));

app.post('/webhooks/loops', (request, reply) => {
  let event;
  try {
    event = webhook.verify(request.body, request.headers);
  } catch {
    return reply.code(401).send({ ok: false });
  }
  const c = event.contact;
  store.immediate(request.headers['webhook-id'], request.body, [event.contactIdentity.id, c.email, c.firstName, c.lastName,
    c.source, c.userGroup, new Date(event.eventTime * 1000).toISOString(), c.companyName]);
  return reply.send({ ok: true });
});

app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
