import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Settler } from './settler.ts'

test('gives its promise the outcome', async () => {
  const settler = new Settler()
  settler.resolve({ epoch: 'e', offset: 1 })
  assert.deepEqual(await settler.promise, { epoch: 'e', offset: 1 })
})

test('an error at closing reaches who awaits, and is no unhandled one where nobody does', async (t) => {
  const unhandled = t.mock.fn()
  process.on('unhandledRejection', unhandled)
  t.after(() => process.off('unhandledRejection', unhandled))
  new Settler().rejectClosed()
  const awaited = new Settler()
  awaited.rejectClosed()
  await assert.rejects(awaited.promise, { code: 'SCZ_ERR_BUS_CLOSED' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(unhandled.mock.callCount(), 0)
})
