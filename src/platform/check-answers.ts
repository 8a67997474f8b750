// In tests and development every answer is checked against the schemas that its route declares: the documents must say
// what is sent, and nothing else.
import { Compile } from 'typebox/compile'
import type { Route } from './http.ts'

/** A function that throws when a route answers something that it does not declare. */
export function answerChecks(definition: Route): (status: number, value: unknown) => void {
  const name = `${definition.method} ${definition.path}`
  const compiled = new Map<number, ReturnType<typeof Compile>>()
  return (status, value) => {
    const schema = definition.response[status]
    if (schema === undefined) throw new Error(`${name} answers ${status}, which it does not declare`)
    if (schema === null) return
    let check = compiled.get(status)
    if (!check) compiled.set(status, (check = Compile(schema)))
    const plain: unknown = JSON.parse(JSON.stringify(value))
    if (check.Check(plain)) return
    const [first] = check.Errors(plain)
    throw new Error(
      `${name} answers what it does not declare, at ${first?.instancePath || '/'}: ${first?.message}`)
  }
}
