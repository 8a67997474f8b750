// Corrects what a shopper mistyped. Words that no product has are replaced by their nearest neighbour among those that
// products have: trigrams find twenty candidates through an index, and the edit distance decides, because trigrams
// alone judge swapped letters badly.
import { Type } from 'typebox'
import { sql, type Conn, type Db } from '../../platform/db.ts'

const Candidate = Type.Object({ word: Type.String(), place: Type.Integer(), known: Type.Boolean(),
  candidates: Type.Array(Type.String()) })

/** The text with its unknown words corrected; undefined when nothing near is known. */
export async function correctSpelling(conn: Conn, text: string): Promise<string | undefined> {
  const words = await conn.many(Candidate, sql`
    select typed.word, place,
           exists (select from catalog.search_word known where known.word between typed.word
             and typed.word || chr(1114111)) as known,
           array(select near.word from catalog.search_word near order by near.word operator(extensions.<->) typed.word
             limit 20) as candidates
      from unnest(string_to_array(catalog.plain(${text}), ' ')) with ordinality as typed (word, place)
     where typed.word <> ''
     order by place
     limit 10`)
  const corrected = words.map(({ word, known, candidates }) => (known ? word : nearest(word, candidates) ?? word))
  return corrected.some((word, index) => word !== words[index]!.word) ? corrected.join(' ') : undefined
}

/** One mistake in a short word, two in a longer one. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
  const allowed = word.length < 4 ? 0 : word.length < 8 ? 1 : 2
  const judged = candidates.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
  return judged.filter(({ distance }) => distance <= allowed).sort((a, b) => a.distance - b.distance)[0]?.candidate
}

/**
 * How many letters to insert, leave out, replace or swap with their neighbour (Damerau-Levenshtein, optimal string
 * alignment).
 */
export function editDistance(from: string, to: string): number {
  const a = [...from]
  const b = [...to]
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(row[j - 1]! + 1, above[j]! + 1, above[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!,
        before[j - 2]! + 1)
    }
    before = above
    above = row
  }
  return above[b.length]!
}

/**
 * Learns the words of these products. A job after the change: two imports must not wait for each other's new words.
 * Idempotent.
 */
export async function learnWords(db: Db, productIds: readonly string[]): Promise<void> {
  await db.run(sql`
    insert into catalog.search_word (word)
    select distinct word from catalog.product_search cross join lateral unnest(tsvector_to_array(document)) as word
     where product_id = any (${[...productIds]}::uuid[]) and length(word) between 3 and 40 and word !~ '^[0-9]+$'
     order by word
    on conflict do nothing`)
}
