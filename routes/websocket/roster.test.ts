import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Roster } from './roster.ts'

test('every connection has its turn once in each interval, and none once it has left', (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const roster = new Roster(160)
  const ticks = [0, 0, 0]
  const connections = ticks.map((_, index) => ({ tick: () => void ticks[index]!++ }))
  const groups: number[] = []
  for (const connection of connections) {
    groups.push(roster.add(connection))
    context.mock.timers.tick(30)
  }
  assert.deepEqual(ticks, [0, 0, 0])
  context.mock.timers.tick(160)
  assert.deepEqual(ticks, [1, 1, 1])
  assert.equal(new Set(groups).size, 3, 'not all in one turn of the loop')
  roster.delete(connections[0]!, groups[0]!)
  roster.delete(connections[0]!, groups[0]!)
  assert.equal(roster.size, 2)
  assert.deepEqual(roster.list(), connections.slice(1))
  context.mock.timers.tick(160)
  assert.deepEqual(ticks, [1, 2, 2])
  roster.stop()
  context.mock.timers.tick(1000)
  assert.deepEqual(ticks, [1, 2, 2])
})
