import { ok } from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const LIMIT = 6000

test(`the client has at most ${LIMIT} bytes, minified and gzipped`, async () => {
  const entry = fileURLToPath(new URL('index.ts', import.meta.url))
  const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false } as const
  const { outputFiles } = await build({ ...options, entryPoints: [entry] })
  const { length } = gzipSync(outputFiles[0]!.contents, { level: 9 })
  ok(length <= LIMIT, `it has ${length}`)
})
