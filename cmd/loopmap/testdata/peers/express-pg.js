// The receiver that a developer would write with Express and PostgreSQL: one row a
// webhook, on disk before the answer.
const express = require('express');
const { Pool } = require('pg');
const { Webhook } = require('standardwebhooks');

const webhook = new Webhook(process.env.LOOPS_SIGNING_SECRET);
const pool = new Pool({ connectionString: process.env.DATABASE_URL });
const insert = {
  name: 'insert',
  text: 'INSERT INTO contacts VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (webhook_id) DO NOTHING',
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

pool.query(`CREATE TABLE IF NOT EXISTS contacts (
  webhook_id text PRIMARY KEY, body text NOT NULL,
  loops_id text, email text, first_name text, last_name text,
  source text, user_group text, signed_up timestamptz, company text)`)
  .then(() => app.listen(Number(process.env.PORT), '127.0.0.1'));
