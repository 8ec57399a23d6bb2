import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LogRecord, joinBus } from './bus.ts'
import { open } from './testing/open-bus.ts'
import { see, until } from './testing/reader.ts'

test('a record has all that was published with it', async (t) => {
  const bus = open(t)
  const thread = joinBus(bus.connect(1))
  const records: unknown[] = []
  await thread.read({
    onRecord({ channel, data, isText, key, meta, epoch, publisher, sequence, dataLength }) {
      const text = data.toString('latin1')
      records.push({ channel, text, isText, key, meta, epoch, publisher, sequence, dataLength })
    }
  })
  const before = Date.now()
  await thread.publish('grüße', 'h\u{1f600}', { key: 'schlüssel', meta: 'm' })
  await thread.publish('', new Uint8Array([0, 255, 128]), { key: 'k' })
  await thread.publish('c', '', { meta: 'ü' })
  await until(() => records.length === 3)
  assert.ok(Date.now() >= before)
  const same = { epoch: bus.epoch, publisher: 1 }
  assert.deepEqual(records, [
    {
      channel: 'grüße',
      text: 'h\xf0\x9f\x98\x80',
      isText: true,
      key: 'schlüssel',
      meta: 'm',
      sequence: 1,
      dataLength: 5,
      ...same
    },
    {
      channel: '',
      text: '\x00\xff\x80',
      isText: false,
      key: 'k',
      meta: null,
      sequence: 2,
      dataLength: 3,
      ...same
    },
    { channel: 'c', text: '', isText: true, key: null, meta: 'ü', sequence: 3, dataLength: 0, ...same }
  ])
})

test('a record has the time when it was published', async (t) => {
  const bus = open(t)
  const thread = joinBus(bus.connect(1))
  const times: number[] = []
  await thread.read({ onRecord: (record) => times.push(record.time) })
  const before = Date.now()
  await thread.publish('a', 'x')
  const after = Date.now()
  await until(() => times.length === 1)
  assert.ok(times[0]! >= before && times[0]! <= after)
})

test('a record stands for the next one after its listener has returned', async (t) => {
  const bus = open(t)
  const thread = joinBus(bus.connect(1))
  const records: LogRecord[] = []
  await thread.read({ onRecord: (record) => records.push(record) })
  await Promise.all([bus.publish('a', 'one'), bus.publish('a', 'two')])
  await until(() => records.length === 2)
  assert.equal(records[0], records[1])
  assert.equal(see(records[0]!).text, 'two')
})
