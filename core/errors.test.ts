import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ScherzoError, catalogue, reasonOf } from './errors.ts'
import type { ErrorCode } from './errors.ts'

const codes = Object.keys(catalogue) as ErrorCode[]
const documentation = readFileSync(new URL('../docs/ERRORS.md', import.meta.url), 'utf8')

test('every code has the prefix of Scherzo', () => {
  for (const code of codes) assert.match(code, /^SCZ_ERR_[A-Z]+(?:_[A-Z]+)*$/)
})

test('every message is one sentence on one line, without a full stop', () => {
  for (const code of codes) {
    const { message } = catalogue[code]
    assert.match(message, /^[A-Z%]/, code)
    assert.doesNotMatch(message, /[\n\r\t]|\s$|\. |[.:;,!?]$/, code)
  }
})

test('every status is one of an error', () => {
  for (const code of codes) {
    const { status } = catalogue[code]
    assert.ok(status === null || (status >= 400 && status <= 599), code)
  }
})

test('every close code is one that a server sends when a client is at fault', () => {
  for (const code of codes) {
    const { closeCode } = catalogue[code]
    assert.ok(
      closeCode === null || (closeCode >= 1002 && closeCode <= 1009) || Math.floor(closeCode / 1000) === 4,
      code
    )
  }
})

test('no error both answers a request and ends a WebSocket', () => {
  for (const code of codes)
    assert.ok(catalogue[code].status === null || catalogue[code].closeCode === null, code)
})

test('docs/ERRORS.md has one section for each code, in the order of the catalogue, and no other', () => {
  const headings = documentation.split('\n').filter((line) => line.startsWith('## '))
  assert.deepEqual(
    headings,
    codes.map((code) => `## \`${code}\``)
  )
})

test('docs/ERRORS.md explains each code, with its status where it answers a request and its close code where it ends a WebSocket', () => {
  const sections = documentation.split(/^## /m).slice(1)
  for (const [index, code] of codes.entries()) {
    const [, ...lines] = sections[index]!.split('\n')
    const text = lines.join('\n').trim()
    const statuses = [...text.matchAll(/\bStatus (\d+)/g)].map(([, status]) => Number(status))
    const closeCodes = [...text.matchAll(/\bClose code (\d+)/g)].map(([, closeCode]) => Number(closeCode))
    const { status, closeCode } = catalogue[code]
    assert.deepEqual(statuses, status === null ? [] : [status], code)
    assert.deepEqual(closeCodes, closeCode === null ? [] : [closeCode], code)
    const length = text.split('\n').length
    assert.ok(length >= 2 && length <= 5, `${code} is explained in ${length} lines`)
  }
})

test('docs/ERRORS.md names no code that does not exist', () => {
  for (const [code] of documentation.matchAll(/SCZ_[A-Z_]+[A-Z]/g)) assert.ok(code in catalogue, code)
})

test('an error has its code, its status and a message with the values filled in', () => {
  const cause = new Error('cause')
  const error = new ScherzoError('SCZ_ERR_FAST_VALUE', ['/a', 'it is 100%'], { cause })
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'ScherzoError')
  assert.equal(error.code, 'SCZ_ERR_FAST_VALUE')
  assert.equal(error.message, 'Cannot answer the fast route /a: it is 100%')
  assert.equal(error.statusCode, 500)
  assert.equal(error.cause, cause)
  assert.equal(new ScherzoError('SCZ_ERR_COMMAND', ['%s %d']).message.includes('"%s %d"'), true)
  assert.equal(error.closeCode, null)
  assert.equal(new ScherzoError('SCZ_ERR_LISTEN', ['a', 'b']).statusCode, null)
  assert.equal(new ScherzoError('SCZ_ERR_WS_TEXT').statusCode, null)
  assert.equal(new ScherzoError('SCZ_ERR_WS_TEXT').closeCode, 1007)
})

test('an error can be made again from its code and values, as another thread does', () => {
  const error = new ScherzoError('SCZ_ERR_WORKER_EXIT', [2, 1, 'at once'])
  const { code, values } = structuredClone({ code: error.code, values: error.values })
  assert.equal(new ScherzoError(code, values).message, error.message)
  assert.match(error.message, /^Worker 2 ended with code 1 at once: /)
})

test('a reason is the first line of what was thrown, fit for the inside of a sentence', () => {
  assert.equal(reasonOf(new Error('It broke.')), 'It broke')
  assert.equal(reasonOf(new Error('It broke:\n  at some place')), 'It broke')
  assert.equal(reasonOf(new Error('\n  It broke  \n')), 'It broke')
  assert.equal(reasonOf(new RangeError('')), 'RangeError')
  assert.equal(reasonOf('a string'), 'a string')
  assert.equal(reasonOf(42), '42')
  assert.equal(reasonOf(null), 'null')
  assert.equal(reasonOf(undefined), 'undefined')
})
