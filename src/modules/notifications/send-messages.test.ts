// Messages against a real SMTP server: sent once and whole, again after a failure, parked when there is no use.
import assert from 'node:assert/strict'
import type { AddressInfo, Socket } from 'node:net'
import test from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { Type } from 'typebox'
import { sql, systemContext, type Db } from '../../platform/db.ts'
import { testDatabase, type Cleanup } from '../../platform/testing.ts'
import { enqueueMessage } from './enqueue-message.ts'
import { configureMail, mailSettings } from './mail.ts'
import { sendMessages } from './send-messages.ts'

type Received = { to: string[]; text: string }

// `cuts`: so many messages are broken off by the server while they arrive.
async function startServer(t: Cleanup, options: SMTPServerOptions = {}, { cuts = 0 } = {}) {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  const server = new SMTPServer({
    authOptional: true, disabledCommands: ['STARTTLS'], closeTimeout: 10, ...options,
    onData(stream, session, done) {
      if (cuts-- > 0) return sockets.forEach((socket) => socket.destroy())
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        received.push(
          { to: session.envelope.rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString() }
        )
        done()
      })
    },
  })
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.after(() => new Promise<void>((resolve) => server.close(resolve)))
  return { received, url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}` }
}

async function start(t: Cleanup, smtpUrl: string): Promise<Db> {
  const db = await testDatabase(t)
  t.after(
    configureMail(
      db, { production: true, smtpUrl, mailFrom: 'Mugs <shop@mugs.example>', shopUrl: 'https://mugs.example/' }
    )
  )
  return db
}

const invite = (db: Db, to: string, name = 'Ada'): Promise<void> =>
  db.transaction(
    systemContext(), (tx) => enqueueMessage(tx, 'staff-invitation', to, { name, token: 'a-secret', hours: 72 })
  )

const State = Type.Object(
  { state: Type.String(), attempts: Type.Integer(), data: Type.Any(), lastError: Type.Any(), pause: Type.Integer() }
)
const states = (db: Db) => db.many(State, sql`
  select state, attempts, data, last_error as "lastError", round(extract(epoch from due_at - now()))::int as pause
  from notifications.message order by id`)

test('a message goes out whole, and its secret does not stay', async (t) => {
  const { received, url } = await startServer(t)
  const db = await start(t, url)
  await invite(db, 'ada@mugs.example', 'Ada <b>Byron</b>')
  assert.equal(await sendMessages(db), 1)
  assert.equal(await sendMessages(db), 0)
  const [{ to, text } = { to: [], text: '' }] = received
  const plain = text.replaceAll('=\r\n', '').replaceAll('=3D', '=')
  assert.deepEqual(to, ['ada@mugs.example'])
  assert.match(text, /^From: Mugs <shop@mugs\.example>$/m)
  assert.match(text, /^Message-ID: <[0-9a-f-]{36}@mugs\.example>$/m)
  assert.match(plain, /https:\/\/mugs\.example\/dashboard\/set-password#token=a-secret/)
  assert.match(plain, /Hello Ada &lt;b&gt;Byron&lt;\/b&gt;/)
  const [row] = await states(db)
  assert.deepEqual([row!.state, row!.data], ['sent', null])
})

test('an address with a comma is one recipient, and a line break in a name is no header', async (t) => {
  const { received, url } = await startServer(t)
  const db = await start(t, url)
  await invite(db, 'ada@mugs.example, eve@evil.example')
  await invite(db, 'bob@mugs.example', 'Bob\r\nBcc: eve@evil.example')
  await sendMessages(db)
  assert.ok(received.every(({ to }) => !to.includes('eve@evil.example')))
  assert.ok(received.every(({ text }) => !/^Bcc:/m.test(text.split('\r\n\r\n')[0]!)))
})

test('a server that is down: later and later, and parked in the end; then sent when it is asked for', async (t) => {
  const { received, url } = await startServer(t)
  const db = await start(t, 'smtp://127.0.0.1:1')
  await invite(db, 'ada@mugs.example')
  for (const [attempt, pause] of [[1, 30], [2, 60], [3, 120]]) {
    await sendMessages(db)
    const [row] = await states(db)
    assert.deepEqual([row!.state, row!.attempts], ['waiting', attempt])
    assert.ok(Math.abs(row!.pause - pause!) <= 2)
    assert.equal(await sendMessages(db), 0, 'it is not due')
    await db.run(sql`update notifications.message set due_at = now()`)
  }
  await db.run(sql`update notifications.message set attempts = 14`)
  await sendMessages(db)
  assert.equal((await states(db))[0]!.state, 'parked')
  await db.run(sql`update notifications.message set due_at = now()`)
  assert.equal(await sendMessages(db), 0)

  t.after(
    configureMail(
      db, { production: true, smtpUrl: url, mailFrom: 'shop@mugs.example', shopUrl: 'https://mugs.example' }
    )
  )
  await db.run(sql`update notifications.message set state = 'waiting'`)
  await sendMessages(db)
  assert.equal(received.length, 1)
})

test('a recipient who is refused for good is parked at once; one who is busy waits', async (t) => {
  const { url, received } = await startServer(t, {
    onRcptTo({ address }, _session, done) {
      if (address.startsWith('nobody')) return done(Object.assign(new Error('No such mailbox'), { responseCode: 550 }))
      if (address.startsWith('busy')) return done(Object.assign(new Error('Greylisted'), { responseCode: 450 }))
      done()
    },
  })
  const db = await start(t, url)
  for (const name of ['nobody', 'busy', 'ada']) await invite(db, `${name}@mugs.example`)
  await sendMessages(db)
  assert.deepEqual((await states(db)).map(({ state }) => state), ['parked', 'waiting', 'sent'])
  assert.match((await states(db))[0]!.lastError, /No such mailbox/)
  assert.equal(received.length, 1)
})

test('a server that refuses the shop itself: messages wait until that is mended', async (t) => {
  const { url } = await startServer(t, {
    onMailFrom: (_address, _session, done) => done(Object.assign(new Error('Sign in first'), { responseCode: 530 })),
  })
  const db = await start(t, url)
  await invite(db, 'ada@mugs.example')
  await sendMessages(db)
  const [row] = await states(db)
  assert.equal(row!.state, 'waiting')
  assert.match(row!.lastError, /Sign in first/)
})

test('a connection that is cut within the message: it is sent again', async (t) => {
  const { url, received } = await startServer(t, {}, { cuts: 1 })
  const db = await start(t, url)
  await invite(db, 'ada@mugs.example')
  await sendMessages(db)
  const [row] = await states(db)
  assert.deepEqual([row!.state, row!.attempts, received.length], ['waiting', 1, 0])
  await db.run(sql`update notifications.message set due_at = now()`)
  await sendMessages(db)
  assert.deepEqual([(await states(db))[0]!.state, received.length], ['sent', 1])
})

test('a poisoned message is parked and stops nobody', async (t) => {
  const { url, received } = await startServer(t)
  const db = await start(t, url)
  await db.transaction(
    systemContext(), (tx) => enqueueMessage(tx, 'order-confirmation', 'ada@mugs.example', { order: {} as never })
  )
  await invite(db, 'ada@mugs.example')
  await sendMessages(db)
  assert.deepEqual((await states(db)).map(({ state }) => state), ['parked', 'sent'])
  assert.equal(received.length, 1)
})

test('many workers: each message once', async (t) => {
  const { url, received } = await startServer(t)
  const db = await start(t, url)
  await db.transaction(systemContext(), (tx) => Promise.all(Array.from({ length: 60 }, (_, index) =>
    enqueueMessage(tx, 'password-changed', `staff-${index}@mugs.example`, { name: 'Ada' }))))
  await Promise.all(Array.from({ length: 6 }, async () => { while (await sendMessages(db) > 0); }))
  assert.equal(received.length, 60)
  assert.equal(new Set(received.map(({ to }) => to[0])).size, 60)
})

test('a worker that died: the message is due again after the lease, under the same Message-ID', async (t) => {
  const { url, received } = await startServer(t)
  const db = await start(t, url)
  await invite(db, 'ada@mugs.example')
  const { transport, ...settings } = mailSettings.of(db)
  mailSettings.set(
    db,
    {
      ...settings,
      transport: {
        keeps: false, close() {}, async send(mail) { await transport!.send(mail); await new Promise(() => {}) }
      }
    }
  )
  void sendMessages(db)
  while (received.length < 1) await new Promise((resolve) => setTimeout(resolve, 10))
  mailSettings.set(db, { ...settings, transport })
  assert.equal(await sendMessages(db), 0, 'the lease holds')
  await db.run(sql`update notifications.message set due_at = now()`)
  await sendMessages(db)
  const ids = received.map(({ text }) => /^Message-ID: (.*)$/m.exec(text)![1])
  assert.deepEqual([ids.length, new Set(ids).size], [2, 1])
})

test('without a server, production lets messages wait', async (t) => {
  const db = await testDatabase(t)
  configureMail(
    db, { production: true, smtpUrl: undefined, mailFrom: 'shop@mugs.example', shopUrl: 'https://mugs.example' }
  )
  await invite(db, 'ada@mugs.example')
  assert.equal(await sendMessages(db), 0)
  assert.deepEqual((await states(db)).map(({ state, attempts }) => [state, attempts]), [['waiting', 0]])
})
