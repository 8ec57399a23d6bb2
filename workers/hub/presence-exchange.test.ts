import { deepEqual, equal, ok } from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import type { AttendanceReport } from '../../core/broadcast/attendance.ts'
import { until } from '../../core/bus/testing/reader.ts'
import { PresenceExchange } from './presence-exchange.ts'
import { type PresenceSignal, piecesOf } from './presence-signal.ts'

const RENEWAL = 40
const LEASE = 400

/** A broker between instances that loses what it is told to lose, and lets signals overtake each other. */
class Wire {
  readonly instances: Instance[] = []
  readonly sent: PresenceSignal[] = []
  isReachable = true
  isLost: (signal: PresenceSignal) => boolean = () => false
  delayOf: () => number = () => 0

  open(t: TestContext | null, lease: number = LEASE): Instance {
    const instance = new Instance(this, lease)
    this.instances.push(instance)
    t?.after(() => instance.exchange.close())
    instance.exchange.start()
    return instance
  }

  async send(signal: PresenceSignal): Promise<void> {
    this.sent.push(signal)
    if (!this.isReachable || this.isLost(signal)) return
    await delay(this.delayOf())
    for (const { exchange } of this.instances)
      exchange.take(JSON.parse(JSON.stringify(signal)) as PresenceSignal)
  }
}

class Instance {
  readonly exchange: PresenceExchange
  /** Who is on the others, by instance. */
  readonly others = new Map<number, Set<string>>()
  readonly ended: number[] = []

  constructor(wire: Wire, lease: number) {
    this.exchange = new PresenceExchange({
      send: (signal) => wire.send(signal),
      isReachable: () => wire.isReachable,
      onChange: (instance, reports) => this.#take(instance, reports),
      onEnd: (instance) => {
        this.ended.push(instance)
        this.others.delete(instance)
      },
      renewal: RENEWAL,
      lease
    })
  }

  enter(id: string, channel = 'a'): void {
    this.exchange.attendance.enter(channel, { id, data: null })
  }

  leave(id: string, channel = 'a'): void {
    this.exchange.attendance.leave(channel, id)
  }

  get here(): string[] {
    const ids: string[] = []
    for (const { channel, joined } of this.exchange.attendance.all())
      for (const { id } of joined) ids.push(`${channel}/${id}`)
    return ids.toSorted()
  }

  get elsewhere(): string[] {
    const all: string[] = []
    for (const ids of this.others.values()) all.push(...ids)
    return all.toSorted()
  }

  #take(instance: number, reports: readonly AttendanceReport[]): void {
    const ids = this.others.get(instance) ?? new Set()
    this.others.set(instance, ids)
    for (const { channel, joined, left } of reports) {
      for (const { id } of joined) ids.add(`${channel}/${id}`)
      for (const id of left) ok(ids.delete(`${channel}/${id}`), `${id} left and was not there`)
    }
  }
}

test('a change that is lost is found missing, also where none comes behind it', async (t) => {
  const wire = new Wire()
  const one = wire.open(t)
  const other = wire.open(t)
  one.enter('ada')
  await until(() => other.elsewhere.length === 1)
  wire.isLost = ({ type }) => type === 'presence'
  one.enter('bob')
  await until(() => one.here.length === 2)
  await until(() => other.elsewhere.length === 2)
  one.leave('ada')
  await until(() => other.elsewhere.length === 1)
  deepEqual(other.elsewhere, ['a/bob'])
})

test('who starts later gets to know everybody', async (t) => {
  const wire = new Wire()
  const one = wire.open(t)
  for (let member = 0; member < 3000; member++) one.enter(`${'x'.repeat(50)}${member}`)
  await until(() => one.here.length === 3000)
  await delay(20)
  const late = wire.open(t)
  await until(() => late.elsewhere.length === 3000)
  deepEqual(late.elsewhere, one.here)
  const states = wire.sent.filter(({ type }) => type === 'presence state')
  ok(states.length > 1)
  for (const signal of states) ok(JSON.stringify(signal).length < 500_000)
})

test('the members of an instance that is not heard of go, and come again with it', async (t) => {
  const wire = new Wire()
  const one = wire.open(t)
  const other = wire.open(t)
  one.enter('ada')
  await until(() => other.elsewhere.length === 1)
  const { send } = wire
  wire.send = async () => {}
  await until(() => other.elsewhere.length === 0)
  equal(other.ended.length, 1)
  wire.send = send
  await until(() => other.elsewhere.length === 1)
})

test('while the broker is away nobody goes', async (t) => {
  const wire = new Wire()
  const one = wire.open(t)
  const other = wire.open(t)
  one.enter('ada')
  await until(() => other.elsewhere.length === 1)
  wire.isReachable = false
  one.enter('bob')
  await delay(LEASE * 2)
  deepEqual(other.ended, [])
  wire.isReachable = true
  await until(() => other.elsewhere.length === 2)
})

test('an instance in whose channels nobody has been sends one signal', async (t) => {
  const wire = new Wire()
  wire.open(t)
  await delay(RENEWAL * 3)
  deepEqual(
    wire.sent.map(({ type }) => type),
    ['presence question']
  )
})

test('whatever is lost and overtaken, all know the same in the end', async () => {
  const step = fc.record({
    at: fc.nat(2),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    channel: fc.constantFrom('x', 'y'),
    pause: fc.nat(8)
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.infiniteStream(fc.nat(9)),
      async (steps, chance) => {
        const wire = new Wire()
        const next = (): number => chance.next().value as number
        wire.isLost = () => next() < 3
        wire.delayOf = next
        const instances = [0, 1, 2].map(() => wire.open(null, 60_000))
        const there = new Set<string>()
        for (const { at, id, channel, pause } of steps) {
          const socket = `${at} ${channel} ${id}`
          if (there.delete(socket)) instances[at]!.leave(id, channel)
          else {
            there.add(socket)
            instances[at]!.enter(id, channel)
          }
          if (pause < 4) await delay(pause)
        }
        wire.isLost = () => false
        const isRight = (instance: Instance): boolean => {
          const others = instances.filter((each) => each !== instance).flatMap(({ here }) => here)
          return instance.elsewhere.join() === others.toSorted().join()
        }
        await delay(20)
        await until(() => instances.every(isRight))
        for (const { exchange } of instances) await exchange.close()
      }
    ),
    { numRuns: 15 }
  )
})

test('pieces have everything, once, each in its channel', () => {
  const reports = [
    { channel: 'a', joined: [{ id: 'x'.repeat(70_000), data: null }], left: ['b', 'c'] },
    { channel: 'b', joined: [{ id: 'd', data: '1' }], left: [] }
  ]
  const pieces = piecesOf(reports)
  deepEqual(
    pieces.map((piece) => piece.map(({ channel, joined, left }) => [channel, joined.length, left.length])),
    [
      [['a', 1, 0]],
      [
        ['a', 0, 2],
        ['b', 1, 0]
      ]
    ]
  )
  deepEqual(piecesOf([]), [[]])
})
