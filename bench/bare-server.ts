// The limit of reads: a Fastify route without anything, which answers the bytes that the shop answers. Started by the
// bench with a file of answers by address; tells its port to its parent.
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'

const answers = new Map(Object.entries(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Record<string, string>)
  .map(([url, text]) => [url, Buffer.from(text)]))
const app = Fastify()
app.get('*', (request, reply) => reply.type('application/json; charset=utf-8').send(answers.get(request.url)))
await app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ port: (app.server.address() as AddressInfo).port })
process.on('disconnect', () => process.exit())
