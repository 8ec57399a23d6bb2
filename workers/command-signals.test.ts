import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startScherzo, startServing } from './testing/child.ts'
import { APP, SIDE_BY_SIDE, textOf } from './testing/command.ts'
import { isFree } from './testing/ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
  'app.ts': APP,
  'closing.ts': `
    import { setImmediate } from 'node:timers/promises'
    export default async function app(fastify) {
      fastify.addHook('onClose', async () => console.log('the close hook ran'))
      fastify.addHook('onRequest', async () => console.log('asked'))
      fastify.get('/late', async () => {
        while (fastify.server.listening) await setImmediate()
        return 'finished'
      })
      fastify.get('/never', () => new Promise(() => {}))
    }`,
  'close-fails.ts': `
    export default async function app(fastify) {
      fastify.addHook('onClose', async () => { throw new Error('the pool is stuck') })
    }`
})

describe('a signal', SIDE_BY_SIDE, () => {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    test(`${name} stops the server with exit code 0 and frees the port`, async () => {
      const { child, address, port } = await startServing(['closing.ts'], { cwd: folder })
      // The response leaves an idle connection behind.
      await fetch(`${address}/`)
      child.signal(name)
      const { code, signal, stdout, stderr } = await child.ended
      deepEqual([code, signal, stderr], [0, null, ''])
      match(stdout, /the close hook ran/)
      ok(await isFree(port))
    })
  }

  test('lets a request that is under way finish, and the app close after it', async () => {
    const { child, address } = await startServing(['closing.ts', '--workers', '1'], { cwd: folder })
    const response = textOf(`${address}/late`)
    await child.printed(/^asked$/m)
    child.signal('SIGTERM')
    equal(await response, 'finished')
    const { code, stdout } = await child.ended
    equal(code, 0)
    // A worker whose connections never end is ended without its hooks.
    equal(stdout.split('the close hook ran').length - 1, 1)
  })

  test('is obeyed as soon as the address is printed', async () => {
    const child = startScherzo(['serve', 'app.ts', '--port', '0'], { cwd: folder })
    await child.printed(/Scherzo serves/)
    child.signal('SIGTERM')
    const { code, signal } = await child.ended
    deepEqual([code, signal], [0, null])
  })

  test('ends a server at once when it is the second', async () => {
    const { child, address, port } = await startServing(['closing.ts'], { cwd: folder })
    const response = fetch(`${address}/never`).catch(() => null)
    await child.printed(/^asked$/m)
    child.signal('SIGTERM')
    child.signal('SIGINT')
    const { code, signal } = await child.ended
    deepEqual([code, signal], [1, null])
    equal(await response, null)
    ok(await isFree(port))
  })

  test('gives exit code 1 and a line when the app fails to close', async () => {
    const { child, port } = await startServing(['close-fails.ts'], { cwd: folder })
    child.signal('SIGTERM')
    const { code, stderr } = await child.ended
    equal(code, 1)
    match(stderr, /^scherzo: Worker \d ended with an uncaught error: the pool is stuck\n$/)
    ok(await isFree(port))
  })
})
