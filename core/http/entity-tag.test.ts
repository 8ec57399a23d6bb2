import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { entityTagOf, isNamedBy } from './entity-tag.ts'

test('makes a strong tag of the characters that RFC 9110 allows', () => {
  assert.equal(entityTagOf(Buffer.from('Hello, World!'), ''), '"3_1gIbsr1bCvZ2KQ"')
  assert.equal(entityTagOf(Buffer.from('Hello, World!'), 'br'), '"3_1gIbsr1bCvZ2KQ-br"')
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.match(entityTagOf(bytes, ''), /^"[\w-]{16}"$/)
      assert.equal(entityTagOf(bytes, ''), entityTagOf(Uint8Array.from(bytes), ''))
    })
  )
})

test('tells bytes and variants apart', () => {
  const tags = [
    entityTagOf(Buffer.from(''), ''),
    entityTagOf(Buffer.from('a'), ''),
    entityTagOf(Buffer.from('b'), ''),
    entityTagOf(Buffer.from('a'), 'br'),
    entityTagOf(Buffer.from('a'), 'gzip')
  ]
  assert.equal(new Set(tags).size, tags.length)
})

test('finds the tag in an If-None-Match list, weak or strong', () => {
  for (const ifNoneMatch of [
    '"a"',
    'W/"a"',
    ' "a" ',
    '"b", "a"',
    '"b","a","c"',
    'W/"b",\tW/"a"',
    '*',
    ' * '
  ]) {
    assert.equal(isNamedBy('"a"', ifNoneMatch), true, ifNoneMatch)
  }
})

test('does not find the tag where it is not named', () => {
  for (const ifNoneMatch of [
    '',
    '"b"',
    'a',
    '"A"',
    '"a',
    '"aa"',
    'w/"a"',
    'W/W/"a"',
    'W/ "a"',
    '"a"b',
    '"b", *'
  ]) {
    assert.equal(isNamedBy('"a"', ifNoneMatch), false, ifNoneMatch)
  }
})
