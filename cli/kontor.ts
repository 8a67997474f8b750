// The command line of a shop. Each command is a file of its own; this one finds it, explains it, and turns failures
// into a sentence.
import { ConfigError } from '../src/platform/config.ts'
import { UsageError, type Command } from './usage.ts'

// Loaded when they are asked for: a command should not wait for what it does not use.
const commands: Record<string, () => Promise<Command>> = {
  import: async () => (await import('./import.ts')).importProducts,
  export: async () => (await import('./export.ts')).exportProducts,
  user: async () => (await import('./user.ts')).user,
  key: async () => (await import('./key.ts')).key,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./restore.ts')).restore,
  doctor: async () => (await import('./doctor.ts')).doctor,
}

async function main([name = '', ...args]: string[]): Promise<number> {
  const load = commands[name]
  if (!load) {
    const wanted = ['', 'help', '--help', '-h'].includes(name)
    const list = await Promise.all(
      Object.entries(commands).map(async ([each, command]) => `  ${each.padEnd(10)}${(await command()).summary}`)
    )
    const text = `npm run kontor -- COMMAND …\n\n${list.join('\n')}\n\n--help after a command tells more about it.\n`
    if (wanted) process.stdout.write(text)
    else process.stderr.write(`There is no command "${name}".\n\n${text}`)
    return wanted ? 0 : 2
  }
  const command = await load()
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(`${command.summary}.\n\n${command.help}\n`)
    return 0
  }
  return command.run(args)
}

/** A mistake of the person gets one sentence, a failure of ours everything that is known about it. */
function explain(error: unknown): void {
  if ((error as { code?: string }).code === 'EPIPE') return                  // whoever read our output has enough of it
  const known = error instanceof UsageError || error instanceof ConfigError || isParseError(error)
  process.stderr.write(
    known ? `${(error as Error).message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`
  )
}

function isParseError(error: unknown): boolean {
  return error instanceof TypeError && String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS')
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  explain(error)
  return 2
})
