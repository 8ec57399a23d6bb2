import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Followers } from './followers.ts'
import { Wants } from './wants.ts'

const INTERVAL = 5000

test('channels that are wanted in one turn are told together, each once, until they come', async () => {
  const told: (readonly string[])[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const wants = new Wants(
    (channels) => {
      told.push(channels)
      return promise
    },
    () => {}
  )
  const coming = [wants.want('a'), wants.want('b'), wants.want('a')]
  await Promise.resolve()
  deepEqual(told, [['a', 'b']])
  resolve()
  await Promise.all(coming)
  equal(wants.want('a'), null)
  wants.close()
})

test('a channel that is released ends some time later, unless it is wanted again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const ended: (readonly string[])[] = []
  const wants = new Wants(
    async () => {},
    (channels) => void ended.push(channels)
  )
  await Promise.all([wants.want('a'), wants.want('b')])
  wants.release('a')
  wants.release('b')
  t.mock.timers.tick(INTERVAL)
  equal(wants.want('b'), null)
  deepEqual(ended, [])
  t.mock.timers.tick(INTERVAL)
  deepEqual(ended, [['a']])
  t.mock.timers.tick(5 * INTERVAL)
  deepEqual(ended, [['a']])
  wants.close()
})

test('a channel is followed while some thread wants it', async () => {
  const unfollowed: (readonly string[])[] = []
  const followers = new Followers(
    async () => {},
    (channels) => void unfollowed.push(channels)
  )
  await followers.add(1, ['a', 'b'])
  await followers.add(2, ['a'])
  await followers.add(2, ['a'])
  followers.delete(1, ['a', 'b'])
  deepEqual(unfollowed, [['b']])
  followers.delete(3, ['a'])
  followers.forget(2)
  deepEqual(unfollowed, [['b'], ['a']])
})
