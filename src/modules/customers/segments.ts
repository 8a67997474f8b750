// Segments: customers by rule, asked anew each time, so that nobody is in one who no longer fits.
import { Type, type Static } from 'typebox'
import { json, resultId, sql, type Conn } from '../../platform/db.ts'
import { Id, Page, PageQuery, route } from '../../platform/http.ts'
import { InvalidCursor } from '../../platform/problem.ts'
import { Customer, GroupName, SegmentNameTaken, SegmentNotFound } from './customers.ts'
import { pageOfCustomers } from './people.ts'
import { SegmentRule, whereOf } from './segment-rule.ts'

const Segment = Type.Object({ id: Id, name: Type.String(), rule: SegmentRule })

async function getSegment(conn: Conn, segmentId: string): Promise<Static<typeof Segment>> {
  const segment = await conn.maybe(Segment, sql`select id, name, rule from customers.segment where id = ${segmentId}`)
  if (!segment) throw SegmentNotFound({})
  return segment
}

const params = Type.Object({ segmentId: Id })
const tags = ['Customers']
const read = { permission: 'customers:read' }
const write = { permission: 'customers:write' }
const body = Type.Object({ name: GroupName, rule: SegmentRule })

const listSegments = route({
  method: 'GET', path: '/admin/customer-segments', access: read, tags, summary: 'List segments',
  response: { 200: Type.Object({ items: Type.Array(Segment) }) },
  run: async ({ db }) => ({
    items: await db.many(Segment, sql`select id, name, rule from customers.segment order by name limit 1000`),
  }),
})

const postSegment = route({
  method: 'POST', path: '/admin/customer-segments', access: write, tags, summary: 'Make a segment', body,
  response: { 201: Segment }, problems: [SegmentNameTaken, SegmentNotFound],
  replay: ({ db, resultId: id }) => getSegment(db, id),
  run: ({ db, context, body: { name, rule } }) => db.transaction(context, async (tx) => {
    const id = resultId(context)
    await tx.run(sql`insert into customers.segment (id, name, rule) values (${id}, ${name}, ${json(rule)}::jsonb)`)
    return getSegment(tx, id)
  }),
})

const putSegment = route({
  method: 'PUT', path: '/admin/customer-segments/:segmentId', access: write, tags, summary: 'Replace a segment',
  params, body, response: { 200: Segment }, problems: [SegmentNotFound, SegmentNameTaken],
  run: ({ db, context, params: { segmentId }, body: { name, rule } }) => db.transaction(context, async (tx) => {
    await tx.run(sql`
      update customers.segment set name = ${name}, rule = ${json(rule)}::jsonb where id = ${segmentId}`)
    return getSegment(tx, segmentId)
  }),
})

const deleteSegment = route({
  method: 'DELETE', path: '/admin/customer-segments/:segmentId', access: write, tags, summary: 'Remove a segment',
  params, response: { 204: null }, problems: [SegmentNotFound],
  run: ({ db, context, params: { segmentId } }) => db.transaction(context, async (tx) => {
    if (await tx.run(sql`delete from customers.segment where id = ${segmentId}`) === 0) throw SegmentNotFound({})
  }),
})

const listMembers = route({
  method: 'GET', path: '/admin/customer-segments/:segmentId/customers', access: read, tags,
  summary: 'List the customers who fit a segment now', params, query: Type.Object(PageQuery),
  response: { 200: Page(Customer) }, problems: [SegmentNotFound, InvalidCursor],
  async run({ db, params: { segmentId }, query }) {
    return pageOfCustomers(db, whereOf((await getSegment(db, segmentId)).rule), query)
  },
})

export const segmentRoutes = [listSegments, postSegment, putSegment, deleteSegment, listMembers]
