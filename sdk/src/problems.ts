// How a call may fail. A KontorProblem is an answer of the shop that was to be expected (RFC 9457): branch on its code
// with isProblem, and the fields of that code are typed. Everything else is a KontorUnreachable: there was no answer,
// or none that the shop would give.
import type { ProblemFields } from './problem-fields.ts'

export type ProblemCode = keyof ProblemFields

export type ProblemDocument<Code extends ProblemCode = ProblemCode> = {
  type: string
  title: string
  status: number
  /** What is wrong here, and what to do about it. */
  detail?: string
  requestId: string
} & ProblemFields[Code]

export class KontorProblem<Code extends ProblemCode = ProblemCode> extends Error {
  override readonly name = 'KontorProblem'
  /** The end of the problem's type: 'out-of-stock'. */
  readonly code: Code
  readonly status: number
  /** The whole document, with the fields of this code. */
  readonly problem: ProblemDocument<Code>

  constructor(code: Code, problem: ProblemDocument<Code>) {
    super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title)
    this.code = code
    this.status = problem.status
    this.problem = problem
  }
}

/**
 * No answer came (network, timeout), or one that is not the shop's (a proxy's error page). Whether it had an effect is
 * not known.
 */
export class KontorUnreachable extends Error {
  override readonly name = 'KontorUnreachable'
  readonly status: number | undefined
  constructor(message: string, options: { status?: number; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.status = options.status
  }
}

/** `if (isProblem(error, 'out-of-stock')) error.problem.lines …` */
export function isProblem<Code extends ProblemCode>(error: unknown, code: Code): error is KontorProblem<Code> {
  return error instanceof KontorProblem && error.code === code
}
