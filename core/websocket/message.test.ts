import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress } from './deflate.ts'
import { MessageInProgress, checkText, finishCompressed } from './message.ts'

test('text is refused with the piece that makes it invalid', () => {
  const message = new MessageInProgress(false, false)
  message.append(Buffer.from([0x61, 0xf4]), 0, 2, 100)
  assert.throws(() => message.append(Buffer.from([0x90]), 0, 1, 100), {
    code: 'SCZ_ERR_WS_TEXT',
    closeCode: 1007
  })
})

test('text that ends inside a character is refused at its end', () => {
  const message = new MessageInProgress(false, false)
  message.append(Buffer.from([0xc3]), 0, 1, 100)
  assert.throws(() => message.finish(100), { code: 'SCZ_ERR_WS_TEXT' })
})

test('binary data may be anything', () => {
  const message = new MessageInProgress(true, false)
  message.append(Buffer.from([0xff, 0xc3]), 0, 2, 100)
  assert.deepEqual(message.finish(100), Buffer.from([0xff, 0xc3]))
})

test('compressed text is checked once it is inflated', () => {
  const text = 'é'.repeat(100)
  assert.equal(finishCompressed(compress(Buffer.from(text))!, false, 1000).toString(), text)
  const bad = compress(Buffer.alloc(100, 0xff))!
  assert.throws(() => finishCompressed(bad, false, 1000), { code: 'SCZ_ERR_WS_TEXT' })
  assert.equal(finishCompressed(bad, true, 1000).length, 100)

  const message = new MessageInProgress(false, true)
  const compressed = compress(Buffer.from(text))!
  for (let at = 0; at < compressed.length; at++) message.append(compressed, at, at + 1, compressed.length)
  assert.equal(message.finish(1000).toString(), text)
})

test('a whole text is checked within its bounds', () => {
  checkText(Buffer.from([0xff, 0x61, 0xff]), 1, 2)
  assert.throws(() => checkText(Buffer.from([0x61, 0xc3, 0xa9]), 0, 2), { code: 'SCZ_ERR_WS_TEXT' })
})
