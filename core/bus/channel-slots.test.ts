import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChannelSlots } from './channel-slots.ts'
import { CHANNEL_SLOTS } from './record.ts'

test('a channel keeps its slot, and others get others', () => {
  const slots = new ChannelSlots()
  const a = slots.find('a')
  const b = slots.find('b')
  assert.notEqual(a.slot, b.slot)
  assert.equal(slots.find('a'), a)
  assert.equal(slots.find('b'), b)
  assert.equal(b.name.toString(), 'b')
  assert.equal(a.isKnown, false)
})

test('starts all over when the slots are used up, with no slot known to the sequencer', () => {
  const slots = new ChannelSlots()
  for (let number = 0; number < CHANNEL_SLOTS; number++) {
    const slot = slots.find(`channel ${number}`)
    assert.equal(slot.slot, number)
    slot.isKnown = true
  }
  assert.equal(slots.find('channel 5').isKnown, true)
  const next = slots.find('one more')
  assert.deepEqual([next.slot, next.isKnown], [0, false])
  assert.equal(slots.find('channel 5').isKnown, false)
})
