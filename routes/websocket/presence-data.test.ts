import { equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { shownOf } from './presence-data.ts'

const ada = { id: 'ada', data: { name: 'Ada', email: 'ada@example.com' } }

test('what others see is what the app gives, as JSON', () => {
  equal(
    shownOf(({ data }) => ({ name: (data as { name: string }).name }), ada),
    '{"name":"Ada"}'
  )
  equal(
    shownOf(() => undefined, ada),
    null
  )
  equal(
    shownOf(() => null, ada),
    null
  )
  equal(
    shownOf(() => 'x'.repeat(1022), ada),
    `"${'x'.repeat(1022)}"`
  )
})

test('what can not be shown is an error with a code', () => {
  const code = 'SCZ_ERR_HUB_PRESENCE_DATA'
  for (const value of ['x'.repeat(1023), 'é'.repeat(512), 1n, () => {}, Buffer.from('x')])
    throws(() => shownOf(() => value, ada), { code })
  throws(() => shownOf(fail, ada), { code, message: /a mistake of the app/ })
})

function fail(): never {
  throw new Error('a mistake of the app')
}
