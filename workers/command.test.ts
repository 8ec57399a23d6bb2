import { equal, deepEqual, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { settingRows } from '../core/settings.ts'
import { startScherzo, startServing } from './testing/child.ts'
import type { Child, ChildOptions } from './testing/child.ts'
import { freePort, isFree, listenAlone } from './testing/ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
  'app.ts': `
    import type { FastifyInstance } from 'fastify'
    import 'scherzo'
    export default async function app(fastify: FastifyInstance): Promise<void> {
      fastify.fast.text('/plaintext', 'Hello, World!')
      fastify.get('/users/:id', async () => 'a user')
      fastify.post('/users', async () => 'made')
    }`,
  'empty.ts': 'export default async function app() {}',
  'module.ts': `
    import type { FastifyInstance } from 'fastify'
    import { ScherzoError } from 'scherzo'
    export default async function app(fastify: FastifyInstance): Promise<void> {
      fastify.get('/', async () => ScherzoError.name)
    }`,
  'module.js': `
    import { ScherzoError } from 'scherzo'
    export default async (fastify) => fastify.get('/', async () => ScherzoError.name)`,
  'module.mjs': `
    import { ScherzoError } from 'scherzo'
    export default async (fastify) => fastify.get('/', async () => ScherzoError.name)`,
  'common.js': `
    const { ScherzoError } = require('scherzo')
    module.exports = async (fastify) => fastify.get('/', async () => ScherzoError.name)`,
  'compiled.js': `
    const { ScherzoError } = require('scherzo')
    Object.defineProperty(exports, '__esModule', { value: true })
    exports.default = async (fastify) => fastify.get('/', async () => ScherzoError.name)`,
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
    }`,
  'close-fails.ts': `
    export default async function app(fastify) {
      fastify.addHook('onClose', async () => { throw new Error('the pool is stuck') })
    }`,
  'folder/app.ts': '',
  'no-default.ts': 'export const app = async () => {}',
  'not-a-function.ts': 'export default { app: true }',
  'throws-at-import.ts': 'throw new Error("no configuration")',
  'throws.ts': 'export default function app() { throw new Error("no database") }',
  'rejects.ts': 'export default async function app() { throw new Error("no database\\nat 10.0.0.1") }',
  'throws-later.ts': `
    export default async function app() {
      await new Promise((_resolve, reject) => setImmediate(() => { throw new Error('no database') }))
    }`,
  'syntax.ts': 'export default async function app( {',
  'missing-package.ts': 'import "no-such-package"\nexport default async function app() {}',
  'exits-at-import.ts': 'process.exit(3)',
  'exits.ts': 'export default async function app() { process.exit(3) }',
  'with-timer.ts':
    'setInterval(() => {}, 1000)\nexport default async function app() { throw new Error("no") }',
  'duplicate.ts': `
    export default async function app(fastify) {
      fastify.get('/twice', () => 1)
      fastify.get('/twice', () => 2)
    }`,
  'bad-fast.ts': 'export default async function app(fastify) { fastify.fast.text("/users/:id", "x") }'
})

const concurrency = { concurrency: availableParallelism() }

describe('scherzo', concurrency, () => {
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

  for (const file of ['module.ts', 'module.js', 'module.mjs', 'common.js', 'compiled.js']) {
    test(`serves ${file} from outside the repository, and it may import scherzo`, async () => {
      const { child, address } = await startServing([file, '--workers', '1'], { cwd: folder })
      equal(await textOf(`${address}/`), 'ScherzoError')
      await stop(child)
    })
  }
})

describe('a signal', concurrency, () => {
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
    const child = start(['serve', 'app.ts', '--port', '0'])
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

describe('a worker that dies while it serves', concurrency, () => {
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

interface Refusal {
  /** Completes the sentence that begins with "refuses". */
  readonly what: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The line on stderr without its beginning, or what it must match where the words are Node's. */
  readonly says: string | RegExp
}

const NO_PORT = 'use a whole number from 0 to 65535'
const NO_WORKERS = 'use a whole number from 1 to 1024'
const NO_PLUGIN =
  'as an app: its default export must be a Fastify plugin, "export default async function app (fastify) {}"'
const LOOK = 'look for process.exit() or a fatal error in the app'

const refusals: readonly Refusal[] = [
  {
    what: 'an unknown command',
    args: ['start', 'app.ts'],
    says: 'Unknown command "start": use "serve" or "routes", or --help for the whole list'
  },
  { what: 'no command', args: [], says: 'Wrong arguments: no command given; see --help' },
  {
    what: 'no app',
    args: ['serve'],
    says: 'Wrong arguments: "serve" needs the file of an app, such as app.ts; see --help'
  },
  {
    what: 'one argument too many',
    args: ['serve', 'app.ts', 'more'],
    says: 'Wrong arguments: "more" is one too many; see --help'
  },
  {
    what: 'an unknown flag',
    args: ['serve', 'app.ts', '--prot', '1'],
    says: /^Wrong arguments: .*'--prot'; see --help$/
  },
  {
    what: 'a flag without its value',
    args: ['serve', 'app.ts', '--port'],
    says: /^Wrong arguments: .*--port.*; see --help$/
  },
  {
    what: 'a flag in place of a value',
    args: ['serve', 'app.ts', '--port', '--host'],
    says: /^Wrong arguments: .*--port.*; see --help$/
  },
  ...['abc', '-1', '70000', '1.5', ''].map((value) => ({
    what: `--port "${value}"`,
    args: ['serve', 'app.ts', '--port', value],
    says: `Invalid value "${value}" for --port: ${NO_PORT}`
  })),
  ...['0', 'x', '1025'].map((value) => ({
    what: `--workers "${value}"`,
    args: ['serve', 'app.ts', '--workers', value],
    says: `Invalid value "${value}" for --workers: ${NO_WORKERS}`
  })),
  ...(
    [
      ['runtime', 'multi', '"current_thread" or "multithread"'],
      ['pool-threads', '-2', 'a whole number from 1 to 256'],
      ['pool-queue', 'many', 'a whole number from 0 to 1000000'],
      ['admin', '9000', 'a host and a port, such as 127.0.0.1:9000, or "off"'],
      ['drain-timeout', '-1', 'seconds from 0 to 86400'],
      ['headers-timeout', 'soon', 'seconds from 0 to 86400'],
      ['stuck-after', '0.5', 'seconds from 1 to 86400, or 0'],
      ['max-connections', '0', 'a whole number from 1 to 10000000'],
      ['body-limit', '1MB', 'a whole number of bytes from 1 to 1099511627776'],
      ['log-level', 'loud', 'one of fatal, error, warn, info, debug, trace, silent']
    ] as const
  ).map(([flag, value, expected]) => ({
    what: `--${flag} ${value}`,
    args: ['serve', 'app.ts', `--${flag}`, value],
    says: `Invalid value "${value}" for --${flag}: use ${expected}`
  })),
  {
    what: 'CHOPIN_RUNTIME=tokio',
    args: ['serve', 'app.ts'],
    env: { CHOPIN_RUNTIME: 'tokio' },
    says: 'Invalid value "tokio" for CHOPIN_RUNTIME: use "current_thread" or "multithread"'
  },
  {
    what: 'SCHERZO_PORT=x',
    args: ['serve', 'app.ts'],
    env: { SCHERZO_PORT: 'x' },
    says: `Invalid value "x" for SCHERZO_PORT: ${NO_PORT}`
  },
  {
    what: 'PORT=x',
    args: ['serve', 'app.ts'],
    env: { SCHERZO_PORT: '', PORT: 'x' },
    says: `Invalid value "x" for PORT: ${NO_PORT}`
  },
  {
    what: 'a host name that does not exist',
    args: ['serve', 'app.ts', '--host', 'host.invalid', '--port', '4'],
    // A machine without a network can't tell.
    says: /^Cannot listen on host\.invalid:4: (there is no host of that name|the host name could not be looked up)$/
  },
  {
    what: 'an address that is not one of this machine',
    args: ['serve', 'app.ts', '--host', '192.0.2.1', '--port', '4'],
    says: 'Cannot listen on 192.0.2.1:4: this machine does not have that address'
  },
  {
    what: 'an app that is not there',
    args: ['serve', 'gone.ts'],
    says: `Cannot find the app ${join(folder, 'gone.ts')}: check the path`
  },
  {
    what: 'a folder as the app',
    args: ['serve', 'folder'],
    says: `Cannot start ${join(folder, 'folder')}: it is not a file; name one, such as app.ts`
  },
  {
    what: 'an app without a default export',
    args: ['serve', 'no-default.ts'],
    says: `Cannot use no-default.ts ${NO_PLUGIN}`
  },
  {
    what: 'an app whose default export is not a function',
    args: ['serve', 'not-a-function.ts'],
    says: `Cannot use not-a-function.ts ${NO_PLUGIN}`
  },
  {
    what: 'an app that throws at import',
    args: ['serve', 'throws-at-import.ts'],
    says: 'Cannot start throws-at-import.ts: no configuration'
  },
  {
    what: 'an app that throws',
    args: ['serve', 'throws.ts'],
    says: 'Cannot start throws.ts: no database'
  },
  {
    what: 'an app that rejects',
    args: ['serve', 'rejects.ts'],
    says: 'Cannot start rejects.ts: no database'
  },
  {
    what: 'an app that throws where nobody catches it',
    args: ['serve', 'throws-later.ts'],
    says: 'Cannot start throws-later.ts: no database'
  },
  {
    what: 'an app that fails with a timer running',
    args: ['serve', 'with-timer.ts'],
    says: 'Cannot start with-timer.ts: no'
  },
  {
    what: 'an app with a syntax error',
    args: ['serve', 'syntax.ts'],
    says: /^Cannot start syntax\.ts: .+/
  },
  {
    what: 'an app that imports a missing package',
    args: ['serve', 'missing-package.ts'],
    says: /^Cannot start missing-package\.ts: Cannot find package 'no-such-package' imported from .+/
  },
  {
    what: 'an app that calls process.exit() at import',
    args: ['serve', 'exits-at-import.ts', '--workers', '1'],
    says: `Worker 1 ended with code 3 before it listened: ${LOOK}`
  },
  {
    what: 'an app that calls process.exit() while it starts',
    args: ['serve', 'exits.ts', '--workers', '1'],
    says: `Worker 1 ended with code 3 before it listened: ${LOOK}`
  },
  {
    what: 'an app with a route twice',
    args: ['serve', 'duplicate.ts'],
    says: /^Cannot start duplicate\.ts: .*'GET'.*'\/twice'$/
  },
  {
    what: 'an app with a fast route that can not be one',
    args: ['serve', 'bad-fast.ts'],
    says: /^Cannot make "\/users\/:id" a fast route: a fast route needs an exact path of .+/
  },
  {
    what: 'to print the routes of an app that throws',
    args: ['routes', 'throws.ts'],
    says: 'Cannot start throws.ts: no database'
  },
  {
    what: 'to print the routes of an app that fails with a timer running',
    args: ['routes', 'with-timer.ts'],
    says: 'Cannot start with-timer.ts: no'
  }
]

describe('in one line on stderr, scherzo refuses', concurrency, () => {
  for (const { what, args, env, says } of refusals) {
    test(what, async () => {
      const port = await freePort()
      await refuses(start(args, { env: { SCHERZO_PORT: `${port}`, ...env } }), says)
      ok(await isFree(port))
    })
  }

  test('a port that another server has', async () => {
    const other = await listenAlone(0)
    const { port } = other.address() as AddressInfo
    await refuses(start(['serve', 'app.ts', '--port', `${port}`]), takenLine(port))
    await new Promise((resolve) => other.close(resolve))
    ok(await isFree(port))
  })

  test('a port for the admin server that another server has, before it serves', async () => {
    const other = await listenAlone(0)
    const { port } = other.address() as AddressInfo
    const args = ['serve', 'app.ts', '--port', '0', '--admin', `127.0.0.1:${port}`]
    await refuses(
      start(args),
      `Cannot listen on 127.0.0.1:${port} for the admin server (--admin): the port is in use; stop the other server or choose another port`
    )
    await new Promise((resolve) => other.close(resolve))
  })

  test('a port that another scherzo has, which goes on serving', async () => {
    const { child, address, port } = await startServing(['app.ts'], { cwd: folder })
    await refuses(start(['serve', 'app.ts', '--port', `${port}`]), takenLine(port))
    equal(await textOf(`${address}/plaintext`), 'Hello, World!')
    await stop(child)
    ok(await isFree(port))
  })
})

function start(args: readonly string[], options: ChildOptions = {}): Child {
  return startScherzo(args, { cwd: folder, ...options })
}

async function stop(child: Child): Promise<void> {
  child.signal('SIGTERM')
  const { code, stderr } = await child.ended
  deepEqual([code, stderr], [0, ''])
}

async function refuses(child: Child, says: string | RegExp): Promise<void> {
  const { code, signal, stdout, stderr } = await child.ended
  deepEqual([code, signal, stdout], [1, null, ''])
  match(stderr, /^scherzo: [^\n]+\n$/)
  const line = stderr.slice('scherzo: '.length, -1)
  if (typeof says === 'string') equal(line, says)
  else match(line, says)
}

function takenLine(port: number): string {
  return `Cannot listen on 127.0.0.1:${port}: the port is in use; stop the other server or choose another port`
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url)
  equal(response.status, 200)
  return response.text()
}
