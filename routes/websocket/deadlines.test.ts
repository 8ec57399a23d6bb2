import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from './deadlines.ts'

function waitUntil(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!condition()) return
      clearInterval(timer)
      resolve()
    }, 5)
  })
}

test('cuts those whose time is up, in order, and not those that ended before', async () => {
  const deadlines = new Deadlines(20)
  const cut: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ cut: () => void cut.push(name) }))
  deadlines.add(a!)
  deadlines.add(b!)
  deadlines.delete(b!)
  await waitUntil(() => cut.length === 1)
  deadlines.add(c!)
  deadlines.add(c!)
  await waitUntil(() => cut.length === 2)
  assert.deepEqual(cut, ['a', 'c'])
})
