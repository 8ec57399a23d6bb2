import { Stats } from '../metrics/stats.ts'
import type { BrokerView, ServerView, WorkerView } from '../server-view.ts'

/** A server as the admin server sees it, with what a test needs otherwise. */
export function fakeView(given: Partial<ServerView> = {}): ServerView {
  return {
    state: 'ready',
    startedAt: Date.now(),
    address: 'http://127.0.0.1:3000',
    app: '/srv/app.ts',
    runtime: 'current_thread',
    cores: 2,
    reloads: 0,
    published: 0,
    broker: null,
    traffic: [],
    present: 0,
    presenceTold: 0,
    threads: [fakeWorker(1), fakeWorker(2)],
    retired: new Stats(),
    channels: async () => new Map(),
    offsetOf: () => 0,
    ...given
  }
}

export function fakeWorker(number: number, given: Partial<WorkerView> = {}): WorkerView {
  return {
    number,
    threadId: number,
    state: 'ready',
    startedAt: Date.now(),
    restarts: 0,
    lastFailure: null,
    utilisation: 0,
    stats: new Stats(),
    ...given
  }
}

export function fakeBroker(given: Partial<BrokerView> = {}): BrokerView {
  return {
    name: 'redis://10.0.0.7:6379',
    isReachable: true,
    pending: 0,
    lag: 0,
    reconnects: 0,
    lost: 0,
    channels: 1,
    ...given
  }
}

export function workersIn(...states: readonly WorkerView['state'][]): readonly WorkerView[] {
  return states.map((state, index) => fakeWorker(index + 1, { state }))
}

/** Two workers with pools, the first of which had died twice. */
export function multithread(): Partial<ServerView> {
  const first = fakeWorker(1, {
    threadId: 9,
    startedAt: Date.UTC(2026, 0, 31, 8),
    restarts: 2,
    lastFailure: 'Worker 1 ended with code 7'
  })
  const second = fakeWorker(2)
  const retired = new Stats()
  first.stats.countRequests('fast', 200, 0.001, 60)
  retired.countRequests('fast', 200, 0.001, 40)
  second.stats.countRequests('main', 500, 0.001, 7)
  first.stats.set('poolThreads', 3)
  first.stats.set('poolRunning', 3)
  first.stats.set('poolQueued', 5)
  first.stats.set('poolUtilisation', 1)
  first.stats.set('poolHeapUsed', 2000)
  second.stats.set('poolThreads', 1)
  second.stats.set('poolUtilisation', 0.2)
  second.stats.set('poolHeapUsed', 1000)
  first.stats.count('poolRequests', 5)
  retired.count('poolRequests', 7)
  first.stats.count('poolRejected', 3)
  retired.count('poolThreadsDied')
  first.stats.countPoolWait(0.25)
  retired.countPoolWait(0.5)
  return { runtime: 'multithread', threads: [first, second], retired }
}
