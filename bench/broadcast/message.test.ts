import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeData, composeEventData, composeMessage, MESSAGE_BYTES } from './message.ts'

test('a message is as long with any offset, in any envelope', () => {
  for (const sequence of [0, 8, 9, 99_999, 1_234_567]) {
    const data = composeData('channel-7', sequence)
    const enveloped = JSON.stringify({ channel: 'channel-7', offset: sequence + 1, data })
    assert.equal(enveloped.length, MESSAGE_BYTES)
    assert.equal(composeMessage('channel-7', sequence).length, MESSAGE_BYTES)
    assert.equal(`42${JSON.stringify(['all', composeEventData('all', sequence)])}`.length, MESSAGE_BYTES)
  }
})

test('a message ends with the time and the sequence', () => {
  const before = Date.now() - 1000
  const match = /^\{"channel":"c","offset":43,"data":"\.+(\d{16})00000042"\}$/.exec(composeMessage('c', 42))
  assert.ok(Number(match?.[1]) > before * 1000)
})
