import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { Clock } from './clock.ts'

/** The example of RFC 9110 section 5.6.7. */
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37)

test('ends a head with the Date line of RFC 9110 and an empty line', (context) => {
  stopAt(context, EXAMPLE)
  const clock = new Clock()
  assert.equal(clock.tail, 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n')
  assert.equal(clock.closingTail, 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\n\r\n')
})

test('keeps the Date until it is ticked', (context) => {
  stopAt(context, EXAMPLE)
  const clock = new Clock()
  const { tail } = clock
  context.mock.timers.setTime(EXAMPLE + 5000)
  assert.equal(clock.tail, tail)
  clock.tick()
  assert.equal(clock.tail, 'Date: Sun, 06 Nov 1994 08:49:42 GMT\r\n\r\n')
  assert.equal(clock.closingTail, 'Date: Sun, 06 Nov 1994 08:49:42 GMT\r\nConnection: close\r\n\r\n')
})

test('changes the lines only when the Date changes', (context) => {
  stopAt(context, EXAMPLE)
  const clock = new Clock()
  const { tail } = clock
  context.mock.timers.setTime(EXAMPLE + 999)
  clock.tick()
  assert.equal(clock.tail, tail)
  context.mock.timers.setTime(EXAMPLE + 1000)
  clock.tick()
  assert.notEqual(clock.tail, tail)
})

test('follows a system clock that is set back, and its own time never goes back', (context) => {
  stopAt(context, EXAMPLE + 60_000)
  const clock = new Clock()
  const { now } = clock
  context.mock.timers.reset()
  stopAt(context, EXAMPLE)
  clock.tick()
  assert.equal(clock.tail, 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n')
  assert.ok(clock.now >= now)
})

function stopAt(context: TestContext, now: number): void {
  context.mock.timers.enable({ apis: ['Date'], now })
}
