// What is common to the commands: how one describes itself, how it refuses to start, how it shows that it works.

export type Command = {
  /** One line for the list of commands. */
  summary: string
  /** Everything else, as `kontor COMMAND --help` shows it. */
  help: string
  /** Answers the exit status: 0 done, 1 done in part. */
  run(args: string[]): Promise<number>
}

/** The command cannot start as it was asked to: what is wrong, and what to write instead. */
export class UsageError extends Error {}

/** Somebody pressed Ctrl-C, or a supervisor said stop. The message says how things stand and how to go on. */
export class Interrupted extends Error {}

/**
 * Lets `fn` end in order when it is told to stop: it calls `goOn` between its steps, which then throws Interrupted with
 * the words `after`. Told a second time, the process ends at once.
 */
export async function interruptible<T>(after: string, fn: (goOn: () => void) => Promise<T>): Promise<T> {
  let isStopped = false
  const stop = (): void => {
    if (isStopped) process.exit(130)
    isStopped = true
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await fn(() => {
      if (isStopped) throw new Interrupted(after)
    })
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

/** The same items, as long as `goOn` lets them. */
export async function* whileGoing<T>(items: AsyncIterable<T>, goOn: () => void): AsyncGenerator<T> {
  for await (const item of items) {
    goOn()
    yield item
  }
}

/**
 * Progress for people: one line that redraws itself on a terminal, a plain line for each tenth otherwise. Everything
 * goes to the standard error, so that the output of a command can be piped.
 */
export class ProgressLine {
  readonly #terminal = process.stderr.isTTY === true
  #tenth = 0
  #drawn = 0

  /** `share` from 0 to 1. */
  show(share: number, text: string): void {
    const percent = Math.min(100, Math.floor(share * 100))
    if (!this.#terminal) {
      if (Math.floor(percent / 10) > this.#tenth) this.line(`${percent} %  ${text}`)
      this.#tenth = Math.max(this.#tenth, Math.floor(percent / 10))
      return
    }
    if (Date.now() - this.#drawn < 100 && percent < 100) return
    this.#drawn = Date.now()
    const filled = Math.round(percent * 0.3)
    const width = (process.stderr.columns ?? 80) - 1
    const bar = `${'█'.repeat(filled)}${'░'.repeat(30 - filled)} ${percent} %  ${text}`
    process.stderr.write(`\r\x1b[K${bar.slice(0, width)}`)
  }

  /** A line of its own; the bar goes on below it. */
  line(text: string): void {
    process.stderr.write(`${this.#terminal ? '\r\x1b[K' : ''}${text}\n`)
  }

  end(): void {
    if (this.#terminal) process.stderr.write('\r\x1b[K')
  }
}
