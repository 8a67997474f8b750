// The parts of the bootstrap that must hold when several commands start at once or were killed: the lock and the notes
// of who runs.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { identify, register, registered, takeLock } from './bootstrap.mjs'

function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'kontor-bootstrap-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

function runs(source, ...args) {
  const program = `import { takeLock } from '${import.meta.resolve('./bootstrap.mjs')}'\n${source}`
  return spawn(process.execPath, ['--input-type=module', '-e', program, ...args], { stdio: 'ignore' })
}

test('a file where the folder belongs is one sentence, and is left alone', (t) => {
  const here = folder(t)
  const program = join(here, 'bootstrap.mjs')
  copyFileSync(new URL('./bootstrap.mjs', import.meta.url), program)
  writeFileSync(join(here, '.kontor'), 'mine')
  const { status, stderr } = spawnSync(process.execPath, [program, 'start'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^[^\n]+\.kontor is a file, [^\n]+: move it away\n$/)
  assert.equal(readFileSync(join(here, '.kontor'), 'utf8'), 'mine')
})

test('a process is told from a later one of the same number', () => {
  assert.equal(identify(process.pid), identify(process.pid))
  assert.match(identify(process.pid), new RegExp(`^${process.pid} .`))
  assert.equal(identify(2 ** 30), undefined)
})

test('many want the lock, some are killed with it in hand: never two have it, and all get it', async (t) => {
  const at = folder(t)
  const journal = join(at, 'journal')
  writeFileSync(journal, '')
  // Every third dies as by kill -9 while it has the lock.
  const children = Array.from({ length: 12 }, (_, n) => runs(`
    const { appendFileSync } = await import('node:fs')
    const [folder, journal, n] = process.argv.slice(1)
    const release = await takeLock(folder)
    appendFileSync(journal, 'in ' + n + '\\n')
    await new Promise((resolve) => setTimeout(resolve, 5))
    appendFileSync(journal, 'out ' + n + '\\n')
    if (n % 3 === 0) process.kill(process.pid, 'SIGKILL')
    release()`, join(at, 'lock'), journal, String(n)))
  await Promise.all(children.map((child) => once(child, 'exit')))
  const lines = readFileSync(journal, 'utf8').trim().split('\n')
  assert.equal(lines.length, 24)
  for (let n = 0; n < lines.length; n += 2) assert.equal(lines[n].replace('in', 'out'), lines[n + 1])
  assert.equal(readdirSync(join(at, 'lock')).filter((name) => name.startsWith('lock.')).length, 1)
})

test('who waits is told for whom', async (t) => {
  const at = folder(t)
  const release = await takeLock(at)
  let owner
  const waiting = takeLock(at, (pid) => {
    owner = pid
    release()
  })
  const releaseAgain = await waiting
  assert.equal(owner, String(process.pid))
  releaseAgain()
})

test('who runs is noted, and forgotten when it ends or is killed', async (t) => {
  const at = folder(t)
  const forget = register(at, process.pid, 'npm test')
  assert.deepEqual(registered(at), [{ pid: process.pid, command: 'npm test' }])
  const child = runs('setInterval(() => {}, 1000)')
  register(at, child.pid, 'npm start')
  assert.equal(registered(at).length, 2)
  child.kill('SIGKILL')
  await once(child, 'exit')
  appendFileSync(join(at, String(2 ** 30)), `${2 ** 30} 1\nnpm start`)
  assert.deepEqual(registered(at), [{ pid: process.pid, command: 'npm test' }])
  forget()
  assert.deepEqual(readdirSync(at), [])
})
