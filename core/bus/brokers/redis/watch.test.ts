import { deepEqual } from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Watch } from './watch.ts'

class Connection {
  readonly name: string
  readonly asked: PromiseWithResolvers<void>[] = []
  isReady = true

  constructor(name: string) {
    this.name = name
  }

  ping(): Promise<void> {
    const answer = Promise.withResolvers<void>()
    this.asked.push(answer)
    return answer.promise
  }
}

/** Goes through so many rounds, and returns what is told in them. */
function startWatch(
  t: TestContext,
  ...connections: Connection[]
): (rounds: number) => Promise<readonly string[]> {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const told: string[] = []
  const watch = new Watch(() => connections)
  t.after(() => watch.stop())
  watch.start({
    onSilent: ({ name }) => told.push(`${name} is silent`),
    onAway: ({ name }) => told.push(`${name} is away`)
  })
  return async (rounds) => {
    for (let round = 0; round < rounds; round++) {
      // What was answered in the last one is heard of first.
      await Promise.resolve()
      t.mock.timers.tick(1000)
    }
    return told.splice(0)
  }
}

test('a connection that owes an answer for five rounds is silent, and others are asked all the while', async (t) => {
  const mute = new Connection('mute')
  const alive = new Connection('alive')
  const go = startWatch(t, mute, alive)
  const ping = alive.ping.bind(alive)
  alive.ping = (): Promise<void> => {
    const answer = ping()
    alive.asked.at(-1)!.resolve()
    return answer
  }
  deepEqual(await go(5), [])
  deepEqual([mute.asked.length, alive.asked.length], [1, 5])
  deepEqual(await go(1), ['mute is silent'])
})

test('an answer that comes late, or fails, is one', async (t) => {
  const slow = new Connection('slow')
  const go = startWatch(t, slow)
  await go(5)
  slow.asked[0]!.resolve()
  deepEqual(await go(5), [])
  slow.asked[1]!.reject(new Error('NOPERM'))
  deepEqual(await go(5), [])
})

test('a connection that is away is told as such, and asked when it is back', async (t) => {
  const away = new Connection('away')
  away.isReady = false
  const go = startWatch(t, away)
  deepEqual(await go(2), ['away is away', 'away is away'])
  away.isReady = true
  deepEqual(await go(1), [])
  deepEqual(away.asked.length, 1)
})
