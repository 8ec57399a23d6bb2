import { deepEqual, match } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { catalogue } from '../core/errors.ts'
import { messages } from './errors.ts'

const documentation = readFileSync(new URL('../docs/CLIENT.md', import.meta.url), 'utf8')

test("docs/CLIENT.md has a row for each of the client's own errors, in their order, and names no other", () => {
  const rows = [...documentation.matchAll(/^\| `(SCZ_\w+)` \| \S/gm)].map(([, code]) => code)
  deepEqual(rows, Object.keys(messages))
  for (const [code] of documentation.matchAll(/SCZ_[A-Z_]+[A-Z]/g)) match(code, /^SCZ_ERR_CLIENT_/)
})

test("no code is also one of the server's", () => {
  deepEqual(
    Object.keys(messages).filter((code) => code in catalogue),
    []
  )
})

test('every message is one sentence on one line, without a full stop', () => {
  for (const message of Object.values(messages)) match(message, /^[A-Z][^\n.]*[^.:;,!?\s]$/)
})
