import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { describe, test } from 'node:test'
import { settingRows } from '../core/settings.ts'
import { startScherzo, startServing } from './testing/child.ts'
import type { Child, ChildOptions } from './testing/child.ts'
import { APP, SIDE_BY_SIDE, stop, textOf } from './testing/command.ts'
import { freePort, listenAlone } from './testing/ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
  'app.ts': APP,
  'empty.ts': 'export default async function app() {}'
})

describe('scherzo', SIDE_BY_SIDE, () => {
  test('serve prints the address, the mode, the cores and the route table', async () => {
    const port = await freePort()
    const args = ['serve', 'app.ts', '--port', `${port}`, '--workers', '1', '--log-format', 'readable']
    const child = start(args)
    await child.printed(/\/users\n/)
    child.signal('SIGTERM')
    const cores = availableParallelism() === 1 ? '1 core' : `${availableParallelism()} cores`
    const lines = (await child.ended).stdout.split('\n')
    deepEqual(
      lines.slice(0, 4).map((line) => line.replace(/^\[\d\d:\d\d:\d\d\] /, '')),
      [
        `INFO: Scherzo serves app.ts at http://127.0.0.1:${port} (current_thread, 1 worker on ${cores})`,
        '  fast  GET, HEAD  /plaintext',
        '  main  GET, HEAD  /users/:id',
        '  main  POST       /users'
      ]
    )
  })

  test('serve logs JSON, with the routes, where no terminal reads it', async () => {
    const child = start(['serve', 'app.ts', '--port', '0', '--workers', '1'])
    await child.printed(/Scherzo serves/)
    child.signal('SIGTERM')
    const lines = (await child.ended).stdout.trim().split('\n')
    const started = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg.startsWith('Scherzo serves'))
    match(started.address, /^http:\/\/127\.0\.0\.1:\d+$/)
    deepEqual(started.routes[0], { methods: ['GET', 'HEAD'], path: '/plaintext', lane: 'fast', note: '' })
  })

  test('serve --port 0 listens on a port that it prints', async () => {
    const { child, address, port } = await startServing(['app.ts'], { cwd: folder })
    ok(port > 0)
    equal(await textOf(`${address}/plaintext`), 'Hello, World!')
    equal(await textOf(`${address}/users/1`), 'a user')
    await stop(child)
  })

  test('routes prints the route table and does not listen', async () => {
    const taken = await listenAlone(0)
    const env = { SCHERZO_PORT: `${(taken.address() as AddressInfo).port}` }
    const { code, stdout, stderr } = await start(['routes', 'app.ts'], { env }).ended
    taken.close()
    deepEqual([code, stderr], [0, ''])
    equal(stdout, '  fast  GET, HEAD  /plaintext\n  main  GET, HEAD  /users/:id\n  main  POST       /users\n')
  })

  test('routes says so when an app has none', async () => {
    const { code, stdout } = await start(['routes', 'empty.ts']).ended
    deepEqual([code, stdout], [0, '  no routes\n'])
  })

  test('--help prints every flag with its environment variables', async () => {
    for (const flag of ['--help', '-h']) {
      const { code, stdout, stderr } = await start([flag]).ended
      deepEqual([code, stderr], [0, ''])
      match(stdout, /^Usage: scherzo serve app\.ts/)
      for (const row of Object.values(settingRows)) {
        match(stdout, new RegExp(`--${row.flag} .*\\n +${row.environment.join(', ')}\\n`))
      }
    }
  })

  test('--version prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    for (const flag of ['--version', '-v']) {
      const { code, stdout, stderr } = await start([flag]).ended
      deepEqual([code, stdout, stderr], [0, `${version}\n`, ''])
    }
  })
})

function start(args: readonly string[], options: ChildOptions = {}): Child {
  return startScherzo(args, { cwd: folder, ...options })
}
