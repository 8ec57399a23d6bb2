import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import type { PoolThread } from './pool-worker.ts'
import { StuckThreads } from './stuck-threads.ts'

test('a thread that shows no sign for as long as the limit is reported once, and left alone', () => {
  const { pass, log, kills } = watch({ stuckAfter: 3, replaceStuck: false })
  pass(2900)
  assert.deepEqual(log(), [])
  pass(5000)
  assert.deepEqual(log(), [
    'Thread 4 of the pool is stuck, its loop has not turned for 3 s: look for an endless loop in the app'
  ])
  assert.equal(kills(), 0)
})

test('it is ended where that is asked for, and never while its loop turns', () => {
  const stuck = watch({ stuckAfter: 3, replaceStuck: true })
  stuck.pass(4000)
  assert.equal(stuck.kills(), 1)
  const busy = watch({ stuckAfter: 3, replaceStuck: true })
  for (let second = 0; second < 20; second++) {
    busy.pass(1000)
    busy.beat()
  }
  assert.equal(busy.kills(), 0)
})

test('the time in which nobody looked does not count, and a limit of 0 is none', () => {
  const suspended = watch({ stuckAfter: 3, replaceStuck: true })
  suspended.pass(1000)
  suspended.skip(60_000)
  suspended.pass(500)
  assert.deepEqual(suspended.log(), [])
  const endless = watch({ stuckAfter: 0, replaceStuck: true })
  endless.pass(100_000)
  assert.deepEqual(endless.log(), [])
})

interface Watch {
  pass(milliseconds: number): void
  skip(milliseconds: number): void
  beat(): void
  log(): string[]
  kills(): number
}

function watch(settings: { stuckAfter: number; replaceStuck: boolean }): Watch {
  const lines: string[] = []
  let beats = 1
  let kills = 0
  let now = 1000
  const thread = { index: 4, kill: () => kills++ } as unknown as PoolThread
  const log = pino({}, { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) })
  const stuck = new StuckThreads(settings, log, () => beats)
  stuck.look([thread], now)
  return {
    pass(milliseconds) {
      for (const end = now + milliseconds; now < end;) stuck.look([thread], (now += 100))
    },
    skip(milliseconds) {
      now += milliseconds
    },
    beat: () => void beats++,
    log: () => lines,
    kills: () => kills
  }
}
