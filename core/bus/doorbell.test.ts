import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Doorbell } from './doorbell.ts'

const FLAG = 2
const COUNT = 3

test('rings for nobody without a trace', () => {
  const { doorbell, words } = makeDoorbell()
  doorbell.ring()
  assert.deepEqual([...words], [0, 0, 0, 0])
})

test('wakes who sleeps, once', async () => {
  const { doorbell, words } = makeDoorbell()
  const woken = sleepAt(doorbell)
  doorbell.ring()
  doorbell.ring()
  await woken
  assert.equal(words[FLAG], 0)
  assert.equal(words[COUNT], 1)
})

test('does not let a sleeper miss a ring between its last look and its sleep', async () => {
  const { doorbell } = makeDoorbell()
  const seen = doorbell.arm()
  doorbell.ring()
  await new Promise<void>((resolve) => doorbell.sleep(seen, resolve))
})

test('wakes all who sleep', async () => {
  const { doorbell } = makeDoorbell()
  const woken = [sleepAt(doorbell), sleepAt(doorbell), sleepAt(doorbell)]
  doorbell.ring()
  await Promise.all(woken)
})

test('a sleeper that comes while another is being woken keeps its flag', async (t) => {
  const { doorbell, words } = makeDoorbell()
  const { notify } = Atomics
  doorbell.arm()
  let woken: Promise<void> | null = null
  t.mock.method(Atomics, 'notify', (array: Int32Array, index: number) => {
    woken ??= sleepAt(doorbell)
    return notify(array, index)
  })
  doorbell.ring()
  assert.notEqual(words[FLAG], 0)
  doorbell.ring()
  await woken
})

test('a ringer that died at any point leaves a doorbell that the next one can ring', async () => {
  const deaths = [
    () => undefined,
    (words: Int32Array) => Atomics.add(words, COUNT, 1),
    (words: Int32Array) => Atomics.add(words, COUNT, 1) + Atomics.notify(words, COUNT)
  ]
  for (const die of deaths) {
    const { doorbell, words } = makeDoorbell()
    const woken = sleepAt(doorbell)
    die(words)
    doorbell.ring()
    await woken
    const again = sleepAt(doorbell)
    doorbell.ring()
    await again
  }
})

test('the count of rings goes on over 2^31 and 2^32', async () => {
  for (const start of [2 ** 31 - 1, -1]) {
    const { doorbell, words } = makeDoorbell()
    words[COUNT] = start
    for (let round = 0; round < 3; round++) {
      const woken = sleepAt(doorbell)
      doorbell.ring()
      await woken
    }
  }
})

function makeDoorbell() {
  const words = new Int32Array(new SharedArrayBuffer(16))
  return { words, doorbell: new Doorbell(words, FLAG) }
}

/** Keeps the test alive meanwhile, which sleeping does not. */
function sleepAt(doorbell: Doorbell): Promise<void> {
  const timer = setInterval(() => undefined, 2 ** 30)
  return new Promise((resolve) => {
    doorbell.sleep(doorbell.arm(), () => {
      clearInterval(timer)
      resolve()
    })
  })
}
