import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { resolveSettings } from '../core/settings.ts'
import type { GivenSettings } from '../core/settings.ts'
import { ScherzoError } from '../core/errors.ts'
import { Stats } from './metrics/stats.ts'
import { Watchdog } from './watchdog.ts'
import type { WatchedThread } from './watchdog.ts'

test('a worker whose loop stands still is reported once, and again when it goes on', (t) => {
  const { thread, log, pass } = watch(t, { stuckAfter: 5 })
  pass(4, { beats: false })
  deepEqual(log(), [])
  pass(3, { beats: false })
  deepEqual(
    log().map(({ code, worker }) => [code, worker]),
    [['SCZ_ERR_WORKER_STUCK', 7]]
  )
  equal(thread.state, 'stuck')
  equal(thread.kills, 0)
  pass(1, { beats: true })
  equal(thread.state, 'ready')
  match(log().at(-1)?.msg ?? '', /^Worker 7 goes on after 7 s$/)
})

test('a stuck worker is ended where that is asked for', (t) => {
  const { thread, pass } = watch(t, { stuckAfter: 5, replaceStuck: true })
  pass(5, { beats: false })
  equal(thread.kills, 1)
})

test('no worker is taken for stuck when the limit is 0', (t) => {
  const { log, pass } = watch(t, { stuckAfter: 0 })
  pass(100, { beats: false })
  deepEqual(log(), [])
})

test('a loop that is busy for 10 s is warned about, with the switch that may help, and not every second', (t) => {
  const { thread, log, pass } = watch(t, {})
  thread.utilization = 0.96
  pass(9)
  deepEqual(log(), [])
  pass(60)
  equal(log().length, 1)
  match(
    log()[0]!.msg,
    /^The event loop of worker 7 has been busy above 95 % for 10 s: .* --runtime multithread/
  )
})

test('a loop that rests in between is not warned about', (t) => {
  const { thread, log, pass } = watch(t, {})
  for (let times = 0; times < 5; times++) {
    thread.utilization = 0.99
    pass(9)
    thread.utilization = 0.5
    pass(1)
  }
  deepEqual(log(), [])
})

interface Line {
  readonly code?: string
  readonly worker: number
  readonly msg: string
}

class FakeThread implements WatchedThread {
  readonly number = 7
  readonly stats: Stats = new Stats()
  state: WatchedThread['state'] = 'ready'
  utilization = 0
  kills = 0

  measureUtilization(): number {
    return this.utilization
  }

  setStuck(seconds: number): ScherzoError {
    this.state = 'stuck'
    return new ScherzoError('SCZ_ERR_WORKER_STUCK', [this.number, seconds])
  }

  setRecovered(): void {
    this.state = 'ready'
  }

  kill(): void {
    this.kills++
  }
}

interface Watch {
  readonly thread: FakeThread
  log(): Line[]
  /** Lets seconds pass in which the loop of the worker turns, or does not. */
  pass(seconds: number, options?: { beats: boolean }): void
}

function watch(t: TestContext, given: GivenSettings): Watch {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const lines: Line[] = []
  const settings = resolveSettings(given, {}, { spell: (name) => name, isCommand: false })
  const watchdog = new Watchdog(
    settings,
    pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) })
  )
  const thread = new FakeThread()
  let beat = 1
  thread.stats.set('heartbeat', beat)
  watchdog.start(() => [thread])
  t.after(() => watchdog.stop())
  t.mock.timers.tick(1000)
  return {
    thread,
    log: () => lines,
    pass(seconds, { beats } = { beats: true }) {
      for (let second = 0; second < seconds; second++) {
        if (beats) thread.stats.set('heartbeat', ++beat)
        t.mock.timers.tick(1000)
      }
    }
  }
}
