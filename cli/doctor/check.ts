// What a check of `kontor doctor` is: a name to leave it out by, a sentence that holds when it finds nothing, and a
// query. Something broken needs somebody now; a hint can wait for a quiet hour.
import type { Client } from 'pg'

export type Finding = {
  broken: boolean
  what: string
  /** What to do about it. */
  next: string
  rows?: Record<string, unknown>[]
}

export type Check = { name: string; holds: string; find(client: Client): Promise<Finding[]> }

export type Row = Record<string, any>

/** The rows of a statement, as findings. */
export async function each(client: Client, text: string, finding: (row: Row) => Finding): Promise<Finding[]> {
  return (await client.query<Row>(text)).rows.map(finding)
}

/** All rows of a statement as one finding, or none. */
export async function together(
  client: Client, text: string, finding: (count: number) => Omit<Finding, 'rows'>,
): Promise<Finding[]> {
  const { rows } = await client.query<Row>(text)
  return rows.length === 0 ? [] : [{ ...finding(rows.length), rows }]
}
