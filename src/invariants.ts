// What must be true of a shop at any moment, read from invariants.sql: one file that people can read, and run by hand.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Db } from './platform/db.ts'

export type Invariant = {
  module: string
  /** A number of RELIABILITY.md and a sentence: `I1 on hand is the sum of the movements`. */
  name: string
  /** Answers the rows that break it. */
  text: string
}

const STATEMENT = /^-- (\w+): (I\d+ .+)\n((?!--)[^;]+);/gm

/** All of them, or those of one module. */
export function invariantsOf(module?: string): Invariant[] {
  const file = readFileSync(join(import.meta.dirname, 'invariants.sql'), 'utf8')
  return [...file.matchAll(STATEMENT)]
    .map(([, owner, name, text]) => ({ module: owner!, name: name!, text: text! }))
    .filter((one) => module === undefined || one.module === module)
}

/** What is broken now, a sentence each with the first row; nothing, if all is well. */
export async function findBroken(db: Db, module?: string): Promise<string[]> {
  const client = await db.dedicated()
  try {
    const broken: string[] = []
    for (const { name, text } of invariantsOf(module)) {
      const { rows } = await client.query(text)
      if (rows.length > 0) broken.push(`${name}: ${rows.length} rows, the first ${JSON.stringify(rows[0])}`)
    }
    return broken
  } finally {
    await client.end()
  }
}
