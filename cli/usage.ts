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
    process.stderr.write(
      `\r\x1b[K${`${'█'.repeat(filled)}${'░'.repeat(30 - filled)} ${percent} %  ${text}`.slice(0, width)}`
    )
  }

  /** A line of its own; the bar goes on below it. */
  line(text: string): void {
    process.stderr.write(`${this.#terminal ? '\r\x1b[K' : ''}${text}\n`)
  }

  end(): void {
    if (this.#terminal) process.stderr.write('\r\x1b[K')
  }
}
