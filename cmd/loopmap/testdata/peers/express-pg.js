// The receiver that a developer would write with Express and PostgreSQL: a line of a
// journal and the contact's row, by one statement that is on disk before the answer.
const express = require('express');
const { Pool } = require('pg');
const { Webhook } = require('standardwebhooks');

const webhook = new Webhook(process.env.LOOPS_SIGNING_SECRET);
const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const insert = {
  name: 'insert',
  text: `WITH noted AS (INSERT INTO journal VALUES ($1, now(), $2) ON CONFLICT (webhook_id) DO NOTHING RETURNING 1)
    INSERT INTO contacts SELECT $3, $4, $5, $6, $7, $8, $9, $10 FROM noted ON CONFLICT (loops_id) DO UPDATE SET
      email = excluded.email, first_name = excluded.first_name, last_name = excluded.last_name, source = excluded.source,
      user_group = excluded.user_group, signed_up = excluded.signed_up, company = excluded.company`,
};

const app = express();
app.post('/webhooks/loops', express.raw({ type: 'application/json' }), async (request, response) => {
  const body = request.body.toString();
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch {
    return response.status(401).json({ ok: false });
  }
  const c = event.contact;
  await pool.query({
    ...insert,
    values: [request.headers['webhook-id'], body, event.contactIdentity.id, c.email, c.firstName, c.lastName,
      c.source, c.userGroup, new Date(event.eventTime * 1000), c.companyName],
  });
  response.json({ ok: true });
});

pool.query(`CREATE TABLE IF NOT EXISTS journal (webhook_id text PRIMARY KEY, received timestamptz NOT NULL, body text NOT NULL);
  CREATE TABLE IF NOT EXISTS contacts (
    loops_id text PRIMARY KEY, email text, first_name text, last_name text,
    source text, user_group text, signed_up timestamptz, company text)`)
  .then(() => app.listen(Number(process.env.PORT), '127.0.0.1'));
