// What a programme of the fault run is: it does one kind of harm to a shop under load, over and over, and says what was
// broken afterwards. The runner (chaos.ts) chooses the seeds, counts, and keeps the results.

export type Round = {
  /** How much of the programme's unit was done: kills, cuts, charges. */
  count: number
  /** What was broken, a sentence each. */
  violations: string[]
  figures?: Record<string, number>
}

export type Programme = {
  name: string
  /** The fault, as the table names it. */
  about: string
  unit: string
  counts: { full: number; quick: number }
  /**
   * Readies the ground. `sabotage` are statements that take a guard away before anything begins: for the tests that
   * show that a programme notices (broken.test.ts).
   */
  open(sabotage?: readonly string[]): Promise<Opened>
}

export type Opened = {
  /**
   * All choices come from the seed; what the machine does meanwhile does not. The seeds of a run follow each other, so
   * what is to be done in turn is chosen by the remainder.
   */
  round(seed: number): Promise<Round>
  close(): Promise<void>
}
