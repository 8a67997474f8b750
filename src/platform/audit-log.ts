// The audit log as staff reads it: who wrote what, from where, and what it was before. Newest first, by actor, route,
// thing, request or time, in pages or as one file. Its entries are written by context.ts and sealed by seal-audit.ts.
import { Readable } from 'node:stream'
import { Type, type Static } from 'typebox'
import { csvLine } from './csv.ts'
import { joined, sql, type Conn } from './db.ts'
import { decodeCursor, encodeCursor, Id, Page, PageQuery, route, Timestamp } from './http.ts'
import { InvalidCursor } from './problem.ts'

const nullable = <T extends Parameters<typeof Type.Array>[0]>(schema: T) => Type.Union([schema, Type.Null()])
const Values = Type.Record(Type.String(), Type.Unknown())
const AuditEntry = Type.Object({
  id: Id, at: Timestamp, actorKind: Type.Enum(['staff', 'key']), actorId: nullable(Id),
  route: Type.String({ description: 'The operation, as PATCH /admin/products/:productId' }),
  target: Type.Record(Type.String(), Type.Unknown(), { description: 'What stood in the path' }),
  requestId: Type.String(), address: nullable(Type.String({ description: 'Null when it was forgotten, after a year' })),
  changes: Type.Array(Type.Object({
    table: Type.String(), key: Type.String(), before: nullable(Values), after: nullable(Values),
  }), { description: 'Each row that changed, with the fields that differ. (hidden): data of a person, or a secret.' }),
  seal: nullable(Type.Object({
    number: Type.Integer(), hash: Type.String({ description: 'Over this entry and all before it; keep one elsewhere' }),
  })),
})
type AuditEntry = Static<typeof AuditEntry>

const filters = {
  actorId: Type.Optional(Id),
  route: Type.Optional(Type.String({ maxLength: 200, description: 'As PATCH /admin/products/:productId' })),
  thing: Type.Optional(Type.String({ maxLength: 200, description: 'The key of a row that was changed: mostly an id' })),
  table: Type.Optional(Type.String({ maxLength: 100, description: 'As catalog.product' })),
  requestId: Type.Optional(Type.String({ maxLength: 100 })),
  from: Type.Optional(Timestamp), before: Type.Optional(Timestamp),
}
const Filters = Type.Object(filters)
type Place = { at: string; id: string }

/** Entries that fit, newest first, after a place. */
async function listEntries(
  conn: Conn, asked: Static<typeof Filters>, { after, limit }: { after?: Place | undefined; limit: number },
): Promise<AuditEntry[]> {
  const wanted = [sql`true`]
  if (asked.actorId) wanted.push(sql`actor_id = ${asked.actorId}`)
  if (asked.route) wanted.push(sql`route = ${asked.route}`)
  if (asked.requestId) wanted.push(sql`request_id = ${asked.requestId}`)
  if (asked.from) wanted.push(sql`at >= ${asked.from}`)
  if (asked.before) wanted.push(sql`at < ${asked.before}`)
  if (asked.thing) wanted.push(sql`id in (
    select entry_id from platform.audit_change where row_key = ${asked.thing})`)
  if (asked.table) wanted.push(sql`exists (
    select from platform.audit_change where entry_id = audit_log.id and table_name = ${asked.table})`)
  if (after) wanted.push(sql`(at, id) < (${after.at}::timestamptz, ${after.id}::uuid)`)
  return conn.many(AuditEntry, sql`
    select id, at, actor_kind as "actorKind", actor_id as "actorId", route, target, request_id as "requestId",
      address, coalesce(changes, '[]') as changes,
      case when number is not null then jsonb_build_object('number', number, 'hash', encode(hash, 'hex')) end as seal
    from (
      select * from platform.audit_log where ${joined(wanted, sql` and `)} order by at desc, id desc limit ${limit}
    ) as entry
    left join platform.audit_origin on audit_origin.entry_id = entry.id
    left join platform.audit_seal on audit_seal.entry_id = entry.id
    left join lateral (
      select jsonb_agg(jsonb_build_object(
        'table', table_name, 'key', row_key, 'before', before, 'after', after) order by audit_change.id) as changes
      from platform.audit_change where audit_change.entry_id = entry.id
    ) as changed on true
    order by at desc, id desc`)
}

const access = { permission: 'audit:read' }
const tags = ['Audit log']

const getAuditLog = route({
  method: 'GET', path: '/admin/audit-log', operationId: 'listAuditLog', access, tags,
  summary: 'List what staff and keys wrote, newest first',
  query: Type.Object({ ...PageQuery, ...filters }), response: { 200: Page(AuditEntry) }, problems: [InvalidCursor],
  async run({ db, query: { limit = 20, cursor, ...asked } }) {
    const [at, id] = cursor ? decodeCursor(cursor, [Timestamp, Id]) as string[] : []
    const rows = await listEntries(db, asked, { after: at && id ? { at, id } : undefined, limit: limit + 1 })
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last ? encodeCursor([last.at, last.id]) : null }
  },
})

const EXPORTED_AT_ONCE = 500
const columns = [
  'id', 'at', 'actorKind', 'actorId', 'route', 'target', 'requestId', 'address', 'changes', 'sealNumber', 'sealHash',
] as const

async function* exported(conn: Conn, asked: Static<typeof Filters>, format: 'csv' | 'ndjson'): AsyncGenerator<string> {
  if (format === 'csv') yield csvLine(columns)
  for (let after: Place | undefined, count = EXPORTED_AT_ONCE; count === EXPORTED_AT_ONCE;) {
    const entries = await listEntries(conn, asked, { after, limit: EXPORTED_AT_ONCE })
    yield entries.map((entry) => (format === 'csv' ? csvOf(entry) : `${JSON.stringify(entry)}\n`)).join('')
    count = entries.length
    after = entries.at(-1)
  }
}

function csvOf({ seal, target, changes, ...entry }: AuditEntry): string {
  const cells = {
    ...entry, target: JSON.stringify(target), changes: JSON.stringify(changes),
    sealNumber: seal?.number, sealHash: seal?.hash,
  }
  return csvLine(columns.map((name) => cells[name]))
}

const getExport = route({
  method: 'GET', path: '/admin/audit-log/export', operationId: 'exportAuditLog', access, tags,
  summary: 'The audit log as a file',
  description: 'All entries that fit, newest first, as CSV or one JSON document a line. Keep one elsewhere: its last ' +
    'hash proves what the log said on that day.',
  query: Type.Object({ format: Type.Optional(Type.Enum(['csv', 'ndjson'], { default: 'ndjson' })), ...filters }),
  response: { 200: Type.String() },
  async run({ db, query: { format = 'ndjson', ...asked }, reply }) {
    reply.type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
      .header('content-disposition', `attachment; filename="audit-log.${format}"`)
    return Readable.from(exported(db, asked, format))
  },
})

export const auditRoutes = [getAuditLog, getExport]
