import { test } from 'node:test'
import fc from 'fast-check'
import { PAGE, appWith } from './testing/both-lanes.ts'
import type { Headers } from './testing/both-lanes.ts'

test('both lanes agree for any options, value and request', async () => {
  const options = fc.record(
    {
      cacheControl: fc.constantFrom('no-store', 'max-age=1'),
      compress: fc.boolean(),
      cors: fc.constantFrom(true, { origin: 'https://a.example', credentials: true }, { maxAge: 1 }),
      headers: fc.constantFrom({ vary: 'Cookie' }, { server: 'other' }, { 'content-type': 'text/css' })
    },
    { requiredKeys: [] }
  )
  const value = fc.constantFrom('', 'a', 'ä', PAGE, 'ä'.repeat(3000))
  const headers = fc.record(
    {
      origin: fc.constantFrom('https://a.example', 'https://b.example'),
      'accept-encoding': fc.constantFrom('gzip', 'br;q=0.5, zstd', '*', 'identity'),
      'if-none-match': fc.constantFrom('*', '"a"'),
      'access-control-request-headers': fc.constantFrom('x-a', 'x a:')
    },
    { requiredKeys: [] }
  )
  const method = fc.constantFrom('GET', 'HEAD', 'OPTIONS')
  await fc.assert(
    fc.asyncProperty(
      options,
      value,
      fc.array(fc.tuple(method, headers), { maxLength: 5 }),
      async (o, v, asked) => {
        const ask = await appWith(({ fast }) => {
          fast.text('/value', o, v)
          fast.text('/handler', o, () => v)
        })
        for (const [method, headers] of asked) {
          await ask(`${method} /value`, headers as Headers)
          await ask(`${method} /handler`, headers as Headers)
        }
      }
    ),
    { numRuns: 50 }
  )
})
