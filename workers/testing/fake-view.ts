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
