// What the bench may be asked, read from the command line. A mistake is answered with a sentence and the usage.
import { parseArgs } from 'node:util'

export type Options = {
  command: 'run' | 'compare' | 'check'
  /** Names of parts, or the files to compare. */
  names: readonly string[]
  quick: boolean
  long: boolean
  json: boolean
  seed: number
  save: string | undefined
  levels: readonly number[]
  rates: readonly number[] | undefined
  /** Of each run, and how many runs there are of each figure. */
  seconds: number
  runs: number
  remote: { url: string; key: string; secretKey: string | undefined; writes: boolean } | undefined
}

export class UsageError extends Error {}

const flags = {
  quick: { type: 'boolean' }, long: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' },
  write: { type: 'boolean' }, seed: { type: 'string' }, save: { type: 'string' }, connections: { type: 'string' },
  rates: { type: 'string' }, seconds: { type: 'string' }, url: { type: 'string' },
  'publishable-key': { type: 'string' }, 'secret-key': { type: 'string' },
} as const

export const usage = `npm run bench -- [part …] [options]      measures, and ends with 1 when a promise is broken
npm run bench -- check [part …]          the same, and compares with bench/baseline.json
npm run bench -- compare A.json B.json   what changed between two saved runs

  --quick                 everything within four minutes: shorter runs, smaller shops, 16 connections
  --long                  memory under 20 minutes of load
  --connections 1,16,64   closed loops with so many connections
  --rates 500,1000        open loops at these rates a second, instead of shares of what was measured
  --seconds N             of each of three runs
  --seed N                other random choices
  --json                  the last line is one object with every figure
  --save FILE             the same object in a file, to be compared
  --url URL --publishable-key KEY [--secret-key KEY] [--write]
                          a shop that runs already; orders are placed there only with --write`

export function readOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parse(args)
  if (values.help) return undefined
  const command = positionals[0] === 'compare' || positionals[0] === 'check' ? positionals[0] : 'run'
  const names = command === 'run' ? positionals : positionals.slice(1)
  if (command === 'compare' && names.length !== 2) throw new UsageError('compare needs two files saved with --save')
  const quick = values.quick ?? false
  const [seed = 1] = numbers('seed', values.seed) ?? []
  const [seconds = quick ? 0.7 : 5] = numbers('seconds', values.seconds) ?? []
  return {
    command, names, quick, long: values.long ?? false, json: values.json ?? false, seed, save: values.save,
    levels: numbers('connections', values.connections) ?? (quick ? [16] : [1, 16, 64]),
    rates: numbers('rates', values.rates), seconds, runs: 3, remote: readRemote(values),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: flags })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function numbers(name: string, text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined
  const values = text.split(',').map(Number)
  if (values.some((value) => !(value > 0 && value < 1e9))) {
    throw new UsageError(`--${name} is "${text}": give numbers above 0, with commas between them`)
  }
  return values
}

function readRemote(values: ReturnType<typeof parse>['values']): Options['remote'] {
  if (values.url === undefined) {
    if (values.write) throw new UsageError('--write goes with --url: a shop of our own is always written to')
    return undefined
  }
  const key = values['publishable-key']
  if (!URL.canParse(values.url) || !key) {
    throw new UsageError('--url needs an address like https://shop.example.com and --publishable-key pk_…')
  }
  return { url: values.url, key, secretKey: values['secret-key'], writes: values.write ?? false }
}
