import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { compressesItself, plainProtocol, withDeflate } from './deflate-protocol.ts'

const known = ['scherzo.v1', 'other']
const choose = withDeflate((offered) => known.find((name) => offered.includes(name)) ?? null)

const cases: [offered: string[], deflates: boolean, chosen: string | null][] = [
  [['scherzo.v1'], false, 'scherzo.v1'],
  [['scherzo.v1+deflate'], false, 'scherzo.v1+deflate'],
  // The client has left no other choice.
  [['scherzo.v1+deflate'], true, 'scherzo.v1+deflate'],
  [['scherzo.v1', 'scherzo.v1+deflate'], false, 'scherzo.v1+deflate'],
  [['scherzo.v1+deflate', 'scherzo.v1'], true, 'scherzo.v1'],
  [['other', 'scherzo.v1+deflate'], false, 'scherzo.v1+deflate'],
  [['scherzo.v2+deflate'], false, null],
  [['scherzo.v1+brotli'], false, null]
]

for (const [offered, deflates, chosen] of cases) {
  const extension = deflates ? 'with' : 'without'
  test(`of ${offered.join(' and ')}, ${extension} the extension, ${chosen ?? 'none'} is chosen`, () => {
    equal(choose(offered, deflates), chosen)
  })
}

test('a name tells whether its messages are compressed', () => {
  equal(compressesItself('scherzo.v1+deflate'), true)
  equal(compressesItself('scherzo.v1'), false)
  equal(compressesItself(null), false)
  equal(plainProtocol('scherzo.v1+deflate'), 'scherzo.v1')
  equal(plainProtocol('scherzo.v1'), 'scherzo.v1')
})
