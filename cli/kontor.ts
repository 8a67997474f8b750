// The command line of a shop. Each command is a file of its own; this one finds it, explains it, and turns failures
// into a sentence.
import { ConfigError } from '../src/platform/config.ts'
import { connectionErrors } from '../src/platform/db-errors.ts'
import { Busy, isProblem } from '../src/platform/problem.ts'
import { Interrupted, UsageError, type Command } from './usage.ts'

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
  const isHelp = (word: string): boolean => word === '--help' || word === '-h'
  if (name === 'help' && commands[args[0] ?? '']) return main([args[0]!, '--help'])
  const load = commands[name]
  if (!load) {
    const wanted = name === '' || name === 'help' || isHelp(name)
    const list = await Promise.all(
      Object.entries(commands).map(async ([each, command]) => `  ${each.padEnd(10)}${(await command()).summary}`))
    const text = `npm run kontor -- COMMAND …\n\n${list.join('\n')}\n\n--help after a command tells more about it.\n`
    if (wanted) process.stdout.write(text)
    else process.stderr.write(`There is no command "${name}".\n\n${text}`)
    return wanted ? 0 : 2
  }
  const command = await load()
  if (args.some(isHelp)) {
    process.stdout.write(`${command.summary}.\n\n${command.help}\n`)
    return 0
  }
  return command.run(args)
}

type SystemError = Error & { code?: string; syscall?: string; path?: string }

/**
 * Says what went wrong and answers the exit status. What a person can mend gets one sentence, a failure of ours
 * everything that is known about it.
 */
function explain(error: unknown): number {
  const { code = '', syscall, message } = error as SystemError
  // Whoever read our output has enough of it: what a shell says of a program that was ended by that.
  if (code === 'EPIPE') return 141
  if (error instanceof Interrupted) {
    process.stderr.write(`${message}\n`)
    return 130
  }
  const isMistake = error instanceof UsageError || error instanceof ConfigError || code.startsWith('ERR_PARSE_ARGS')
  const sentence = isMistake ? message
    : isProblem(error, Busy) || connectionErrors(error) || isFatal(error)
      ? `The database went away: ${reasonOf(error)}. Run the same command again; what an import wrote is in.`
      : syscall ? `A file cannot be read or written: ${message}` : undefined
  process.stderr.write(`${sentence ?? (error instanceof Error ? error.stack : String(error))}\n`)
  return 2
}

const isFatal = (error: unknown): boolean => (error as { severity?: string }).severity === 'FATAL'

const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error
  return cause instanceof Error ? cause.message || String((cause as SystemError).code) : message
}

process.stdout.on('error', (error) => process.exit(explain(error)))
process.exitCode = await main(process.argv.slice(2)).catch(explain)
