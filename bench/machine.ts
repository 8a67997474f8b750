// The machine under measurement, as Linux tells it in /proc: CPU time and memory of processes, and which cores they may
// use. With three cores or more, server, database and load generator get cores of their own; with fewer they share, and
// the report says so. On other systems these figures are left out rather than guessed.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

export type CpuSeconds = { server: number; database: number; generator: number }
type Role = keyof CpuSeconds

const TICKS_PER_SECOND = 100     // USER_HZ, the same on every Linux that Node runs on

export const cores = availableParallelism()

/** Which cores each role gets, as `taskset` reads it; undefined: they share all of them. */
const shares: Record<Role, string> | undefined = cores < 3 ? undefined : {
  server: cores < 5 ? '0' : '0-1', database: cores < 5 ? `1-${cores - 2}` : `2-${cores - 2}`, generator: `${cores - 1}`,
}

/** Says how the cores are shared, for the report. */
export let placement = shares ? `server on core ${shares.server}, database on ${shares.database}, ` +
  `load generator on ${shares.generator}` : `server, database and load generator share ${cores} cores, not pinned`

/** Gives a process and all its threads the cores of its role; its children inherit them. */
export function pin(pid: number, role: Role): void {
  if (!shares) return
  try {
    execFileSync('taskset', ['-a', '-c', '-p', shares[role], String(pid)], { stdio: 'ignore' })
  } catch {
    placement = `not pinned: taskset is missing; all share ${cores} cores`
  }
}

type Process = { pid: number; parent: number; ticks: number; ticksOfEnded: number }

function processes(): Process[] {
  let pids: string[]
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number)
      return {
        pid: Number(pid), parent: fields[1]!, ticks: fields[11]! + fields[12]!, ticksOfEnded: fields[13]! + fields[14]!,
      }
    } catch {
      return []     // it ended meanwhile
    }
  })
}

/** The process and all its descendants that live. */
function family(all: readonly Process[], pid: number): Process[] {
  const own = all.filter((one) => one.pid === pid)
  return [...own, ...all.filter((one) => one.parent === pid).flatMap((child) => family(all, child.pid))]
}

function cpuSeconds(all: readonly Process[], pid: number | undefined): number {
  const members = pid === undefined ? [] : family(all, pid)
  if (members.length === 0) return NaN
  return members.reduce((sum, { ticks, ticksOfEnded }) => sum + ticks + ticksOfEnded, 0) / TICKS_PER_SECOND
}

/** What is watched: the server that answers and the database behind it, if they are ours. */
export type Watched = { serverPid?: number | undefined; databasePid?: number | undefined }

/** CPU time used so far. */
export function cpuSoFar({ serverPid, databasePid }: Watched): CpuSeconds {
  const all = processes()
  const { user, system } = process.cpuUsage()
  return {
    server: cpuSeconds(all, serverPid), database: cpuSeconds(all, databasePid), generator: (user + system) / 1e6,
  }
}

/** Memory that the process and its children hold, in megabytes. */
export function residentMegabytes(pid: number): number {
  const members = family(processes(), pid)
  if (members.length === 0) return NaN
  return members.reduce((sum, member) => {
    try {
      return sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${member.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
    } catch {
      return sum
    }
  }, 0)
}
