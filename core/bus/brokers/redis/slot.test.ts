import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { slotOf } from './slot.ts'

test('the slot of a key is that of the part in its first braces, if anything is in them', () => {
  // The value that the specification gives.
  equal(slotOf('123456789'), 0x31c3)
  equal(slotOf('scherzo:{123456789}:o'), 0x31c3)
  equal(slotOf('{123456789}{x}'), 0x31c3)
  equal(slotOf(''), 0)
  // What `CLUSTER KEYSLOT` answers.
  equal(slotOf('foo{}{bar}'), 8363)
  equal(slotOf('foo{{bar}}zap'), 4015)
  equal(slotOf('scherzo:{c:größe}'), 9744)
})
