import { deepEqual, equal, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { Outgoing, Place } from '../broker.ts'
import { NotTaken, Uncertain, WaitingLine } from './waiting-line.ts'

function message(channel: string, idempotencyKey = ''): Outgoing {
  return { channel, data: Buffer.alloc(0), isText: true, key: '', meta: '', idempotencyKey, retention: null }
}

/** A broker that fails as often as it is told, and then takes what comes. */
function failing(...failures: (Error | null)[]): { line: WaitingLine; taken: string[] } {
  const taken: string[] = []
  const line = new WaitingLine(async ({ channel }): Promise<Place> => {
    const failure = failures.shift() ?? null
    await Promise.resolve()
    if (failure !== null) throw failure
    taken.push(channel)
    return { epoch: '', offset: taken.length }
  }, 10)
  line.open()
  return { line, taken }
}

test('what the broker could not take is tried again, and what came behind it stays behind it', async () => {
  const { line, taken } = failing(new NotTaken('loading'), new NotTaken('loading'))
  const all = Promise.all(['a', 'b', 'c'].map((channel) => line.push(message(channel))))
  equal(line.pending, 3)
  await all
  // The third was under way already, and was taken.
  deepEqual(taken, ['c', 'a', 'b'])
  line.close()
})

test('what may have been taken is tried again only if a second time does no harm', async () => {
  const { line, taken } = failing(new Uncertain('lost'), new Uncertain('lost'))
  const refused = line.push(message('a'))
  const again = line.push(message('b', 'key'))
  await rejects(refused, { code: 'SCZ_ERR_BROKER_LOST' })
  await again
  deepEqual(taken, ['b'])
  line.close()
})

test('while the broker is away everybody waits, and what waits too long is refused', async () => {
  const sent: string[] = []
  const line = new WaitingLine(async ({ channel }) => {
    sent.push(channel)
    return { epoch: '', offset: 1 }
  }, 0.1)
  await rejects(line.push(message('a')), { code: 'SCZ_ERR_BROKER_TIMEOUT' })
  const later = line.push(message('b'))
  line.open()
  await later
  deepEqual(sent, ['b'])
  line.close()
})

test('what waits when the line is closed is refused', async () => {
  const { line } = failing()
  line.shut()
  const waiting = line.push(message('a'))
  line.close()
  await rejects(waiting, { code: 'SCZ_ERR_BUS_CLOSED' })
})
