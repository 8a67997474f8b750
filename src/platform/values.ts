// How PostgreSQL's values read in JavaScript. A bigint that a double cannot hold is refused rather than rounded; a
// timestamp stays text in ISO 8601 with microseconds, because that is how it goes out; numeric stays text, because
// money never is one.
import pg from 'pg'

const INT8 = 20
const TIMESTAMPTZ = 1184
const INT8_ARRAY = 1016
const TIMESTAMPTZ_ARRAY = 1185
const DATE = 1082

function int8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint out of the range of exact numbers: ${text}`)
  return value
}

// '2026-11-23 04:05:03.12+00' → '2026-11-23T04:05:03.12Z'; every session runs in UTC
function timestamp(text: string): string {
  return text.replace(' ', 'T').replace(/\+00$/, 'Z')
}

const textArray = pg.types.getTypeParser(1009 as 25, 'text') as (text: string) => string[]
const own = new Map<number, (text: string) => unknown>([
  [INT8, int8], [TIMESTAMPTZ, timestamp], [DATE, String],
  [INT8_ARRAY, (text) => textArray(text).map((item) => (item === null ? null : int8(item)))],
  [TIMESTAMPTZ_ARRAY, (text) => textArray(text).map((item) => (item === null ? null : timestamp(item)))],
])

export const parsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    own.get(oid) ?? pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
}
