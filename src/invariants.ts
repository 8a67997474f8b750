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

/** What a choice leaves out is not looked at: a module, or numbers as `/^I[3-6] /`. */
export type Chosen = { module?: string; name?: RegExp }

export function invariantsOf({ module, name }: Chosen = {}): Invariant[] {
  const file = readFileSync(join(import.meta.dirname, 'invariants.sql'), 'utf8')
  return [...file.matchAll(STATEMENT)]
    .map(([, owner, sentence, text]) => ({ module: owner!, name: sentence!, text: text! }))
    .filter((one) => (module === undefined || one.module === module) && (!name || name.test(one.name)))
}

/** What is broken now, a sentence each with the first row; nothing, if all is well. */
export async function findBroken(db: Db, chosen: Chosen = {}): Promise<string[]> {
  const client = await db.dedicated()
  try {
    const broken: string[] = []
    for (const { name, text } of invariantsOf(chosen)) {
      const { rows } = await client.query(text)
      if (rows.length > 0) broken.push(`${name}: ${rows.length} rows, the first ${JSON.stringify(rows[0])}`)
    }
    return broken
  } finally {
    await client.end()
  }
}
