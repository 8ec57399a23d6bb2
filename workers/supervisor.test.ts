import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startServing } from './testing/child.ts'
import { SIDE_BY_SIDE, textOf } from './testing/command.ts'
import { isFree } from './testing/ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
  'dying.ts': `
    export default async function app(fastify) {
      fastify.get('/alive', () => 'alive')
      fastify.get('/exit', () => process.exit(7))
      fastify.get('/throw', () => setImmediate(() => { throw new Error('out of luck\\nand more') }))
    }`,
  'dying-for-good.ts': `
    import { existsSync, writeFileSync } from 'node:fs'
    const mark = new URL('./broken', import.meta.url)
    export default async function app(fastify) {
      if (existsSync(mark)) throw new Error('it is broken')
      fastify.get('/break', () => {
        writeFileSync(mark, '')
        process.exit(1)
      })
    }`
})

describe('a worker that dies while it serves', SIDE_BY_SIDE, () => {
  const deaths = [
    [
      '/exit',
      /"code":"SCZ_ERR_WORKER_EXIT".*"msg":"Worker 1 ended with code 7 while it served: look for .*\n/
    ],
    [
      '/throw',
      /"code":"SCZ_ERR_WORKER_ERROR".*"msg":"Worker 1 ended with an uncaught error: out of luck\. .*\n/
    ]
  ] as const
  for (const [path, line] of deaths) {
    test(`is logged with its cause and replaced after ${path}`, async () => {
      const { child, address } = await startServing(['dying.ts', '--workers', '1'], { cwd: folder })
      await fetch(`${address}${path}`).catch(() => null)
      await child.printed(/Worker 1 serves again/)
      equal(await textOf(`${address}/alive`), 'alive')
      child.signal('SIGTERM')
      const { code, stdout, stderr } = await child.ended
      deepEqual([code, stderr], [0, ''])
      match(stdout, line)
    })
  }

  test('ends the process with exit code 1 and the cause when no worker comes up any more', async () => {
    const { child, address, port } = await startServing(['dying-for-good.ts', '--workers', '2'], {
      cwd: folder
    })
    for (const _ of [1, 2]) await fetch(`${address}/break`).catch(() => null)
    const { code, stderr } = await child.ended
    equal(code, 1)
    match(stderr, /^scherzo: No worker comes up any more: Cannot start dying-for-good\.ts: it is broken\n$/)
    ok(await isFree(port))
  })
})
