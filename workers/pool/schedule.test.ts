import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { HEAVY, Schedule } from './schedule.ts'
import type { Cost } from './schedule.ts'

interface Job {
  readonly name: string
  readonly cost: Cost
}

/** What runs where, in the order in which it began. */
let started: [thread: string, name: string][]
let jobs: Job[]
let now: number

beforeEach(() => {
  started = []
  jobs = []
  now = 1000
})

function scheduleOf(threads: number, limit = 100): Schedule<string, Job> {
  const schedule = new Schedule<string, Job>(limit, (thread, job) => started.push([thread, job.name]))
  for (let number = 1; number <= threads; number++) schedule.add(`t${number}`, now)
  return schedule
}

const light = (): Cost => ({ milliseconds: 0.2, samples: 10 })
const heavy = (): Cost => ({ milliseconds: 10, samples: 10 })
const unknown = (): Cost => ({ milliseconds: null, samples: 0 })

function submit(schedule: Schedule<string, Job>, cost: Cost, count = 1): boolean[] {
  return Array.from({ length: count }, () => {
    const job = { name: `j${jobs.length + 1}`, cost }
    jobs.push(job)
    return schedule.submit(job, now)
  })
}

function threadOf(name: string): string | undefined {
  return started.find(([, started]) => started === name)?.[0]
}

function finish(schedule: Schedule<string, Job>, name: string, milliseconds: number): void {
  schedule.finish(
    threadOf(name)!,
    jobs.find((job) => job.name === name)!,
    milliseconds,
    now
  )
}

describe('light requests', () => {
  test('go to the thread with the least to do', () => {
    const schedule = scheduleOf(3)
    submit(schedule, light(), 6)
    assert.deepEqual(
      started.map(([thread]) => thread),
      ['t1', 't2', 't3', 't1', 't2', 't3']
    )
  })

  test('find a thread however many heavy ones there are', () => {
    const schedule = scheduleOf(4)
    submit(schedule, heavy(), 50)
    assert.equal(started.length, 3)
    submit(schedule, light())
    assert.equal(threadOf('j51'), 't1')
    assert.equal(schedule.queued, 47)
  })

  test('use every thread while there is nothing heavy', () => {
    const schedule = scheduleOf(2)
    submit(schedule, light(), 10)
    assert.deepEqual(new Set(started.map(([thread]) => thread)), new Set(['t1', 't2']))
  })

  test('do not go to a thread that is blocked, and wait when all are', () => {
    const schedule = scheduleOf(2)
    const cost = light()
    submit(schedule, cost, 2)
    now += 50
    schedule.observe('t2', 40, 1, now)
    submit(schedule, cost, 2)
    assert.deepEqual(started.slice(2), [
      ['t2', 'j3'],
      ['t2', 'j4']
    ])
    now += 50
    submit(schedule, cost)
    assert.equal(schedule.queued, 1)
    finish(schedule, 'j1', 100)
    assert.equal(threadOf('j5'), 't1')
  })
})

describe('heavy requests', () => {
  test('have a thread to themselves, and leave one to light ones', () => {
    const schedule = scheduleOf(3)
    submit(schedule, heavy(), 5)
    assert.deepEqual(
      started.map(([thread]) => thread),
      ['t3', 't2']
    )
    submit(schedule, light(), 4)
    assert.ok(started.slice(2).every(([thread]) => thread === 't1'))
  })

  test('run on a single thread, too', () => {
    const schedule = scheduleOf(1)
    submit(schedule, heavy())
    assert.equal(threadOf('j1'), 't1')
  })

  test('do not starve under light ones: a thread is kept free for them', () => {
    const schedule = scheduleOf(2)
    const cost = light()
    submit(schedule, cost, 4)
    submit(schedule, heavy())
    assert.equal(threadOf('j5'), undefined)
    submit(schedule, cost, 4)
    assert.ok(started.slice(4).every(([thread]) => thread === 't1'))
    for (const name of ['j2', 'j4']) finish(schedule, name, 0.2)
    assert.equal(threadOf('j5'), 't2')
  })

  test('do not starve under light ones that never end', () => {
    const schedule = scheduleOf(2)
    submit(schedule, light(), 4)
    submit(schedule, heavy())
    now += 11
    for (const thread of ['t1', 't2']) schedule.observe(thread, 10, 2, now)
    schedule.pump(now)
    assert.equal(threadOf('j5'), 't2')
  })

  test('run in the order in which they came', () => {
    const schedule = scheduleOf(2)
    submit(schedule, heavy(), 4)
    for (const name of ['j1', 'j2', 'j3', 'j4']) finish(schedule, name, 50)
    assert.deepEqual(
      started.map(([, name]) => name),
      ['j1', 'j2', 'j3', 'j4']
    )
  })
})

describe('a route', () => {
  test('becomes heavy by what its requests cost, and those that wait are sorted anew', () => {
    const schedule = scheduleOf(2)
    const cost = unknown()
    submit(schedule, cost)
    finish(schedule, 'j1', 50)
    assert.ok(cost.milliseconds! > HEAVY)
    submit(schedule, cost, 3)
    assert.equal(started.length, 2)
    submit(schedule, light())
    assert.equal(threadOf('j5'), 't1')
  })

  test('becomes light again', () => {
    const schedule = scheduleOf(2)
    const cost = heavy()
    for (let count = 1; cost.milliseconds! > HEAVY; count++) {
      assert.ok(count < 10)
      submit(schedule, cost)
      finish(schedule, `j${count}`, 0.1)
    }
  })

  test('is not heavy because its first request ran slowly, as new code does', () => {
    const schedule = scheduleOf(2)
    const cost = unknown()
    submit(schedule, cost)
    finish(schedule, 'j1', 12)
    submit(schedule, heavy(), 5)
    submit(schedule, cost)
    assert.equal(threadOf('j7'), 't1')
    finish(schedule, 'j7', 0.3)
    assert.ok(cost.milliseconds! < HEAVY)
  })

  test('is not heavy because of one request that was long', () => {
    const schedule = scheduleOf(2)
    const cost = light()
    submit(schedule, cost)
    finish(schedule, 'j1', 500)
    assert.ok(cost.milliseconds! < HEAVY)
  })

  test('that nobody knows has a thread to itself until that is seen to be idle', () => {
    const schedule = scheduleOf(2)
    const cost = unknown()
    submit(schedule, cost, 3)
    assert.deepEqual(started, [['t2', 'j1']])
    // It has not woken up yet.
    schedule.observe('t2', 10, 0, now)
    assert.equal(cost.milliseconds, null)
    schedule.observe('t2', 12, 1, now)
    schedule.observe('t2', 17, 1, now)
    schedule.pump(now)
    assert.equal(cost.milliseconds, 0)
    assert.notEqual(threadOf('j3'), undefined)
  })

  test('that nobody knows counts as heavy as soon as it is seen to block its thread', () => {
    const schedule = scheduleOf(3)
    const cost = unknown()
    submit(schedule, cost, 4)
    now += 20
    schedule.observe('t3', 0, 1, now)
    schedule.pump(now)
    assert.deepEqual(started, [
      ['t3', 'j1'],
      ['t2', 'j2']
    ])
    submit(schedule, light())
    assert.equal(threadOf('j5'), 't1')
    finish(schedule, 'j1', 0.1)
    assert.ok(cost.milliseconds! < HEAVY, 'what was measured replaces the guess')
  })

  test('that was slow once counts as heavy as soon as it is seen to block its thread again', () => {
    const schedule = scheduleOf(2)
    const cost = unknown()
    submit(schedule, cost)
    finish(schedule, 'j1', 30)
    submit(schedule, cost, 5)
    now += 20
    schedule.observe('t2', 0, 2, now)
    schedule.pump(now)
    assert.equal(started.length, 2)
    assert.equal(schedule.queued, 4)
  })

  test('that nobody knows does not wait behind heavy ones', () => {
    const schedule = scheduleOf(2)
    submit(schedule, heavy(), 10)
    submit(schedule, unknown())
    assert.equal(threadOf('j11'), 't1')
  })

  test('that was taken for light is measured by its first request', () => {
    const schedule = scheduleOf(2)
    const cost: Cost = { milliseconds: 0, samples: 0 }
    submit(schedule, cost)
    finish(schedule, 'j1', 50)
    assert.ok(cost.milliseconds! > HEAVY)
  })
})

describe('the queue', () => {
  test('is bounded', () => {
    const schedule = scheduleOf(2, 2)
    assert.deepEqual(submit(schedule, heavy(), 4), [true, true, true, false])
    assert.equal(schedule.queued, 2)
    assert.deepEqual(submit(schedule, light()), [true])
  })

  test('of no length refuses what can not run at once, but nothing for being unknown', () => {
    const schedule = scheduleOf(2, 0)
    assert.deepEqual(submit(schedule, heavy(), 2), [true, false])
    assert.deepEqual(submit(schedule, unknown(), 3), [true, true, true])
  })

  test('gives back a request whose client has gone, and a drained one gives all', () => {
    const schedule = scheduleOf(2)
    submit(schedule, heavy(), 4)
    assert.equal(schedule.cancel(jobs[2]!), true)
    assert.equal(schedule.cancel(jobs[0]!), false)
    assert.deepEqual(schedule.drain(), [jobs[1], jobs[3]])
    assert.equal(schedule.queued, 0)
  })

  test('waits for a thread when there is none', () => {
    const schedule = scheduleOf(1)
    submit(schedule, light())
    schedule.remove('t1')
    submit(schedule, light())
    assert.equal(started.length, 1)
    schedule.add('t9', now)
    assert.deepEqual(started.at(-1), ['t9', 'j2'])
  })
})
