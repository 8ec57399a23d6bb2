import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExtensions } from './extensions.ts'

test('reads extensions with their parameters in order', () => {
  assert.deepEqual(parseExtensions('foo'), [{ name: 'foo', parameters: [] }])
  assert.deepEqual(parseExtensions('foo; bar; baz=1, x-y ;a = b'), [
    {
      name: 'foo',
      parameters: [
        ['bar', true],
        ['baz', '1']
      ]
    },
    { name: 'x-y', parameters: [['a', 'b']] }
  ])
  assert.deepEqual(parseExtensions('a;b;b=1'), [
    {
      name: 'a',
      parameters: [
        ['b', true],
        ['b', '1']
      ]
    }
  ])
})

test('unquotes a value, which has to be a token', () => {
  assert.deepEqual(parseExtensions(String.raw`a; b="1\2"`), [{ name: 'a', parameters: [['b', '12']] }])
  for (const value of ['a; b=""', 'a; b="1 2"', 'a; b="1,2"', 'a; b="1', 'a; b=1"', String.raw`a; b="1\"`]) {
    assert.equal(parseExtensions(value), null, value)
  }
})

test('empty elements of the list do not count', () => {
  assert.deepEqual(parseExtensions(''), [])
  assert.deepEqual(parseExtensions(' , ,foo,\t, '), [{ name: 'foo', parameters: [] }])
})

test('refuses what is not the grammar', () => {
  for (const value of [
    ';',
    'a;',
    'a; ',
    'a;;b',
    ';a',
    'a=1',
    'a b',
    'a;b=',
    'a;=1',
    'a;b=1=2',
    'a;,b',
    'a/b',
    'ä',
    'a;b c',
    '"a"'
  ]) {
    assert.equal(parseExtensions(value), null, value)
  }
})
