import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { chooseEncoding, compress, encodings } from './encodings.ts'
import type { Encoding } from './encodings.ts'

const ALL = [...encodings]

const table: readonly [acceptEncoding: string, available: readonly Encoding[], chosen: Encoding | null][] = [
  // Nothing is asked for.
  ['', ALL, null],
  [' , ,', ALL, null],
  ['identity', ALL, null],
  ['deflate', ALL, null],
  ['deflate, compress;q=0.5', ALL, null],

  // Our own order among equals, whatever the client's.
  ['gzip', ALL, 'gzip'],
  ['gzip, deflate, br, zstd', ALL, 'br'],
  ['zstd, gzip', ALL, 'zstd'],
  ['gzip;q=0.5, br;q=0.5', ALL, 'br'],
  ['gzip, br', ['gzip'], 'gzip'],
  ['br', ['gzip', 'zstd'], null],
  ['br', [], null],

  // The highest weight wins.
  ['gzip;q=1, br;q=0.9', ALL, 'gzip'],
  ['br;q=0.001, gzip;q=0.002, zstd;q=0.003', ALL, 'zstd'],
  ['br;q=0.8, gzip', ['br'], 'br'],

  // Zero excludes.
  ['br;q=0', ALL, null],
  ['br;q=0, gzip', ALL, 'gzip'],
  ['br;q=0.000, gzip;q=0.0', ALL, null],

  // The asterisk stands for what is not named.
  ['*', ALL, 'br'],
  ['*;q=0', ALL, null],
  ['br;q=0, *', ALL, 'zstd'],
  ['gzip, *;q=0', ALL, 'gzip'],
  ['gzip;q=0.5, *;q=0.6', ALL, 'br'],
  ['gzip;q=0.5, *;q=0.4', ALL, 'gzip'],

  // Identity has a weight only where it is named.
  ['identity, gzip;q=0.5', ALL, null],
  ['identity;q=0.5, gzip;q=0.6', ALL, 'gzip'],
  ['identity;q=0.5, gzip;q=0.5', ALL, 'gzip'],
  ['identity;q=0, gzip', ALL, 'gzip'],
  ['identity;q=0', ALL, null],

  // Case, blanks and the old name of gzip.
  ['GZip', ALL, 'gzip'],
  ['x-gzip', ALL, 'gzip'],
  [' br ; Q=0.5 ,\tgzip ; q=0.4', ALL, 'br'],
  ['gzip;q= 0.5', ALL, 'gzip'],
  ['gzip;level=9', ALL, 'gzip'],
  ['gzip;level=9;q=0', ALL, null],

  // What is no weight excludes.
  ['br;q=', ALL, null],
  ['br;q', ALL, null],
  ['br;q=2', ALL, null],
  ['br;q=1.001', ALL, null],
  ['br;q=0.1234', ALL, null],
  ['br;q=-1', ALL, null],
  ['br;q=.5', ALL, null],
  ['br;q="1"', ALL, null],
  ['br;q=1e0', ALL, null],
  ['br;q=0., gzip;q=1.', ALL, 'gzip'],
  ['br;q=1.000', ALL, 'br'],
  ['brotli', ALL, null],
  ['b r', ALL, null]
]

for (const [acceptEncoding, available, chosen] of table) {
  test(`chooses ${chosen ?? 'no coding'} of [${available.join(', ')}] for "${acceptEncoding}"`, () => {
    assert.equal(chooseEncoding(acceptEncoding, available), chosen)
  })
}

test('chooses nothing that is not there or was not asked for', () => {
  const coding = fc.constantFrom('br', 'gzip', 'zstd', 'x-gzip', 'identity', '*', 'deflate', 'x')
  const weight = fc.constantFrom('', ';q=0', ';q=0.5', ';q=1', ';q=1.5', ';x=y', ';q')
  const items = fc.array(fc.tuple(coding, weight).map((parts) => parts.join('')))
  fc.assert(
    fc.property(items, fc.subarray(ALL), (items, available) => {
      const chosen = chooseEncoding(items.join(', '), available)
      if (chosen === null) return
      assert.ok(available.includes(chosen))
      assert.ok(items.some((item) => /^(?:br|x?-?gzip|zstd|\*)/.test(item) && !/q(?:=0|=1\.5)?$/.test(item)))
    })
  )
})

test('compresses to what a client of each coding reads back', () => {
  const bytes = Buffer.from('A line that comes again and again. '.repeat(100))
  const decompress = { br: brotliDecompressSync, zstd: zstdDecompressSync, gzip: gunzipSync }
  for (const encoding of encodings) {
    const compressed = compress(encoding, bytes)
    assert.ok(compressed.length < bytes.length, encoding)
    assert.deepEqual(decompress[encoding](compressed), bytes, encoding)
  }
})
