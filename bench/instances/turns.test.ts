import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('a publisher waits while as many turns as may be are under way', async () => {
  const turns = new Turns(2)
  assert.equal(turns.end(), 1)
  await turns.untilRoom()
  assert.equal(turns.end(), 2)
  let hasRoom = false
  const room = turns.untilRoom().then(() => (hasRoom = true))
  await new Promise(setImmediate)
  assert.equal(hasRoom, false)
  turns.had(1)
  await room
  assert.equal(hasRoom, true)
})
