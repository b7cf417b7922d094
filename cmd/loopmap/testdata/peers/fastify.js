// The receiver that a developer would write with Fastify and SQLite: one row a webhook,
// on disk before the answer.
const Database = require('better-sqlite3');
const fastify = require('fastify');
const { Webhook } = require('standardwebhooks');

const webhook = new Webhook(process.env.LOOPS_SIGNING_SECRET);
const db = new Database('contacts.db');
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`CREATE TABLE IF NOT EXISTS contacts (
  webhook_id TEXT PRIMARY KEY, body TEXT NOT NULL,
  loops_id TEXT, email TEXT, first_name TEXT, last_name TEXT,
  source TEXT, user_group TEXT, signed_up TEXT, company TEXT)`);
const insert = db.prepare('INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (webhook_id) DO NOTHING');

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
  insert.run(request.headers['webhook-id'], request.body, event.contactIdentity.id, c.email, c.firstName, c.lastName,
    c.source, c.userGroup, new Date(event.eventTime * 1000).toISOString(), c.companyName);
  return reply.send({ ok: true });
});

app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
