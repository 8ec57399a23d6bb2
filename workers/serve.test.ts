import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { relative, join } from 'node:path'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { settingRows } from '../core/settings.ts'
import { planWorkers } from './plan.ts'
import { serve } from './serve.ts'
import type { ServeOptions } from './serve-options.ts'
import type { ScherzoServer } from './server.ts'
import { Child } from './testing/child.ts'
import { freePort, isFree, listenAlone } from './testing/ports.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const index = new URL('../index.ts', import.meta.url).href

const folder = temporaryFolder({
  'app.ts': `
    import type { FastifyInstance } from 'fastify'
    import { threadId } from 'node:worker_threads'
    export default async function app(fastify: FastifyInstance): Promise<void> {
      fastify.fast.text('/plaintext', 'Hello, World!')
      fastify.get('/thread', async () => threadId)
      fastify.get('/exit', () => process.exit(7))
      fastify.get('/throw', () => new Promise(() => setImmediate(() => { throw new Error('out of luck') })))
    }`,
  'closing.ts': `
    import { setImmediate } from 'node:timers/promises'
    export default async function app(fastify) {
      fastify.get('/late', async (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200)
        reply.raw.write('started, ')
        while (fastify.server.listening) await setImmediate()
        reply.raw.end('finished')
      })
    }`,
  'close-fails.ts': `
    export default async function app(fastify) {
      fastify.addHook('onClose', async () => { throw new Error('the pool is stuck') })
    }`,
  'throws.ts': 'export default function app() { throw new Error("no database") }',
  'one-fails.ts': `
    import { threadId } from 'node:worker_threads'
    export default async function app() {
      setInterval(() => {}, 1000)
      if (threadId === 2) throw new Error('no database')
    }`,
  'main.ts': `
    import { serve } from ${JSON.stringify(index)}
    const server = await serve(new URL('./app.ts', import.meta.url), { port: 0, workers: 2 })
    await (await fetch(server.address + '/thread')).text()
    await server.close()
    await server.closed
    console.log('closed')`,
  'main-fails.ts': `
    import { serve } from ${JSON.stringify(index)}
    await serve(new URL('./one-fails.ts', import.meta.url), { port: 0, workers: 2 }).catch((error) => console.log(error.code))`,
  'main-close-fails.ts': `
    import { serve } from ${JSON.stringify(index)}
    const server = await serve(new URL('./close-fails.ts', import.meta.url), { port: 0, workers: 2 })
    await server.close().catch((error) => console.log(error.message))`,
  'main-dies.ts': `
    import { serve } from ${JSON.stringify(index)}
    const server = await serve(new URL('./dying.ts', import.meta.url), { port: 0, workers: 1 })
    await (await fetch(server.address)).text()
    // It dies behind the back of the primary, which hears of that once it has given the order to close.
    const end = Date.now() + 1000
    while (Date.now() < end);
    await server.close()
    console.log('closed')`,
  'dying.ts': `
    export default async function app(fastify) {
      fastify.get('/', async () => {
        setTimeout(() => { throw new Error('out of luck') }, 100)
        return 'dying'
      })
    }`,
  'main-reloads.ts': `
    import { serve } from ${JSON.stringify(index)}
    const server = await serve(new URL('./close-fails.ts', import.meta.url), { port: 0, workers: 1 })
    await server.reload()
    await server.close().catch(() => console.log('closed'))`,
  'main-unwatched.ts': `
    import { serve } from ${JSON.stringify(index)}
    const server = await serve(new URL('./breaking.ts', import.meta.url), { port: 0, workers: 1 })
    await fetch(server.address).catch(() => {})`,
  'breaking.ts': `
    import { existsSync, writeFileSync } from 'node:fs'
    const mark = new URL('./broken', import.meta.url)
    export default async function app(fastify) {
      if (existsSync(mark)) throw new Error('it is broken')
      fastify.get('/', () => {
        writeFileSync(mark, '')
        process.exit(1)
      })
    }`
})
// What the machine sets up is not what these tests ask for.
for (const variable of Object.values(settingRows).flatMap(({ environment }) => environment))
  delete process.env[variable]

const app = join(folder, 'app.ts')

test('serve resolves when every worker listens, all on the one port that port 0 became', async (t) => {
  const server = await start(t, app, { port: 0, workers: 2 })
  equal(
    server.workers,
    planWorkers({ workers: 2, runtime: 'current_thread', poolThreads: null }, process.platform, 2).workers
  )
  const { port } = new URL(server.address)
  notEqual(port, '0')
  const threads = new Set<string>()
  for (let count = 0; threads.size < server.workers && count < 1000; count++)
    threads.add(await textOf(`${server.address}/thread`))
  equal(threads.size, server.workers)
})

test('serve tells the address, the workers and the routes', async (t) => {
  const port = await freePort()
  const { address, workers, routes, notices } = await start(t, app, { port, workers: 1 })
  equal(address, `http://127.0.0.1:${port}`)
  equal(workers, 1)
  deepEqual(routes.slice(0, 2), [
    { methods: ['GET', 'HEAD'], path: '/plaintext', lane: 'fast', note: '' },
    { methods: ['GET', 'HEAD'], path: '/thread', lane: 'main', note: '' }
  ])
  deepEqual(notices, [])
})

test('one worker answers every connection', async (t) => {
  const server = await start(t, app, { port: 0, workers: 1 })
  const threads = new Set<string>()
  for (let count = 0; count < 20; count++) threads.add(await textOf(`${server.address}/thread`))
  equal(threads.size, 1)
})

const ways: Readonly<Record<string, string | URL>> = {
  'an absolute path': app,
  'a path relative to the working directory': relative(process.cwd(), app),
  'a URL': pathToFileURL(app)
}
for (const [way, given] of Object.entries(ways)) {
  test(`an app is given by ${way}`, async (t) => {
    const server = await start(t, given, { port: 0, workers: 1 })
    equal(await textOf(`${server.address}/plaintext`), 'Hello, World!')
  })
}

test('the environment decides what the options leave out, and options win over it', async (t) => {
  const [port, other] = [await freePort(), await freePort()]
  await inEnvironment({ SCHERZO_PORT: `${port}`, SCHERZO_WORKERS: '1' }, async () => {
    const server = await start(t, app)
    deepEqual([server.address, server.workers], [`http://127.0.0.1:${port}`, 1])
    await server.close()
    const second = await start(t, app, { port: other })
    equal(second.address, `http://127.0.0.1:${other}`)
  })
})

test('an option with an invalid value is named as the option', async () => {
  await refuses(
    app,
    { port: -1 },
    {
      code: 'SCZ_ERR_SETTING',
      message: 'Invalid value "-1" for port: use a whole number from 0 to 65535'
    }
  )
})

for (const name of ['prot', 'toString', '__proto__']) {
  test(`an unknown option is refused: ${name}`, async () => {
    const options = JSON.parse(`{ "port": 0, "${name}": 1 }`)
    await refuses(app, options, { code: 'SCZ_ERR_OPTION_UNKNOWN', message: new RegExp(`"${name}"`) })
  })
}

test('an app that is not there is refused with its path', async () => {
  await refuses(
    join(folder, 'gone.ts'),
    {},
    {
      code: 'SCZ_ERR_APP_MISSING',
      message: `Cannot find the app ${join(folder, 'gone.ts')}: check the path`
    }
  )
})

test('a start that fails frees the port', async () => {
  const port = await freePort()
  const file = join(folder, 'throws.ts')
  await refuses(
    file,
    { port, workers: 2 },
    {
      name: 'ScherzoError',
      code: 'SCZ_ERR_APP_START',
      message: 'Cannot start throws.ts: no database'
    }
  )
  ok(await isFree(port))
})

const skip =
  planWorkers({ workers: 2, runtime: 'current_thread', poolThreads: null }, process.platform, 2).workers === 2
    ? false
    : 'one worker is all that runs here'
test('a worker that can not start ends the ones that could', { skip }, async () => {
  const { code, stdout, stderr } = await runMain('main-fails.ts')
  deepEqual([code, stdout, stderr], [0, 'SCZ_ERR_APP_START\n', ''])
})

test('a port that is taken is refused', async () => {
  const port = await freePort()
  const other = await listenAlone(port)
  await refuses(app, { port }, { code: 'SCZ_ERR_LISTEN' })
  other.close()
})

test('close() frees the port and settles `closed`, and may be called again', async (t) => {
  const port = await freePort()
  const server = await start(t, app, { port, workers: 2 })
  await textOf(`${server.address}/thread`)
  await Promise.all([server.close(), server.close()])
  ok(await isFree(port))
  equal(await server.closed, undefined)
  await server.close()
})

test('close() lets a response that has begun finish', async (t) => {
  const server = await start(t, join(folder, 'closing.ts'), { port: 0, workers: 2 })
  const response = await fetch(`${server.address}/late`)
  const closing = server.close()
  equal(await response.text(), 'started, finished')
  await closing
})

test('close() leaves nothing that keeps the process alive', async () => {
  const { code, stdout, stderr } = await runMain('main.ts')
  deepEqual([code, stdout, stderr], [0, 'closed\n', ''])
})

test('close() rejects when the app fails to close, and ends everything all the same', async () => {
  const { code, stdout, stderr } = await runMain('main-close-fails.ts')
  deepEqual([code, stderr], [0, ''])
  ok(/^Worker \d ended with an uncaught error: the pool is stuck\n$/.test(stdout), stdout)
})

test('a worker that died before it heard of close() is told of, and close() resolves', async () => {
  const { code, stdout } = await runMain('main-dies.ts')
  equal(code, 0)
  deepEqual(messagesOf(stdout), ['Worker 1 ended with an uncaught error: out of luck', 'closed'])
})

test('an old worker of a reload that fails to close is told of', async () => {
  const { code, stdout } = await runMain('main-reloads.ts')
  equal(code, 0)
  deepEqual(messagesOf(stdout), [
    'Worker 1 ended with an uncaught error: the pool is stuck',
    'Reloaded 1 workers',
    'closed'
  ])
})

for (const path of ['/exit', '/throw']) {
  test(`a worker that dies by ${path} is replaced, and the other one serves on`, async (t) => {
    const server = await start(t, app, { port: 0, workers: 2, logLevel: 'silent' })
    const before = await threadsOf(server, 2)
    const died = await fetch(`${server.address}${path}`).catch(() => null)
    equal(died, null)
    const after = await threadsOf(server, 2)
    equal([...after].filter((thread) => before.has(thread)).length, 1)
  })
}

test('`closed` rejects when no worker comes up any more, and ends a process in which nobody watches it', async () => {
  const { code, stderr } = await runMain('main-unwatched.ts')
  equal(code, 1)
  ok(stderr.includes('SCZ_ERR_WORKERS_GONE'), stderr)
})

describe('reload()', () => {
  test('replaces every worker with the new code, while the server answers', async (t) => {
    const place = temporaryFolder({ 'app.ts': answering('old') })
    const server = await start(t, join(place, 'app.ts'), { port: 0, workers: 2, logLevel: 'silent' })
    equal(await textOf(`${server.address}/`), 'old')
    writeFileSync(join(place, 'app.ts'), answering('new'))
    const reloaded = server.reload()
    let answers = 0
    for (let isOver = false; !isOver; answers++) {
      isOver = await Promise.race([reloaded.then(() => true), textOf(`${server.address}/`).then(() => false)])
    }
    ok(answers > 1)
    for (let count = 0; count < 20; count++) equal(await textOf(`${server.address}/`), 'new')
  })

  test('rejects when the new code does not start, and the old workers stay', async (t) => {
    const place = temporaryFolder({ 'app.ts': answering('old') })
    const server = await start(t, join(place, 'app.ts'), { port: 0, workers: 2, logLevel: 'silent' })
    writeFileSync(
      join(place, 'app.ts'),
      'export default async function app() { throw new Error("no database") }'
    )
    await rejects(server.reload(), {
      code: 'SCZ_ERR_RELOAD',
      message: 'Cannot reload, the workers from before go on: Cannot start app.ts: no database'
    })
    equal(await textOf(`${server.address}/`), 'old')
    writeFileSync(join(place, 'app.ts'), answering('mended'))
    await server.reload()
    equal(await textOf(`${server.address}/`), 'mended')
  })

  test('is not possible any more once the server closes', async (t) => {
    const server = await start(t, app, { port: 0, workers: 1, logLevel: 'silent' })
    const closing = server.close()
    await rejects(server.reload(), { code: 'SCZ_ERR_CLOSED' })
    await closing
  })

  test('happens by itself when a file of the app changes and the server watches', async (t) => {
    const place = temporaryFolder({
      'app.ts':
        'import { word } from "./word.ts"\nexport default async (fastify) => fastify.get("/", () => word)',
      'word.ts': 'export const word = "old"'
    })
    const options = { port: 0, workers: 1, watch: true, logLevel: 'silent' } as const
    const server = await start(t, join(place, 'app.ts'), options)
    equal(await textOf(`${server.address}/`), 'old')
    writeFileSync(join(place, 'word.ts'), 'export const word = "new"')
    while ((await textOf(`${server.address}/`)) !== 'new') await delay(20)
  })
})

test('two servers in one process serve and close on their own', async (t) => {
  const [first, second] = await Promise.all([
    start(t, app, { port: 0, workers: 1 }),
    start(t, app, { port: 0, workers: 1 })
  ])
  notEqual(first.address, second.address)
  notEqual(await textOf(`${first.address}/thread`), await textOf(`${second.address}/thread`))
  await first.close()
  equal(await textOf(`${second.address}/plaintext`), 'Hello, World!')
})

function answering(word: string): string {
  return `export default async function app(fastify) { fastify.get('/', () => '${word}') }`
}

/** Threads that answer, looked for until there are so many. */
async function threadsOf(server: ScherzoServer, count: number): Promise<Set<string>> {
  const threads = new Set<string>()
  while (threads.size < count) threads.add(await textOf(`${server.address}/thread`))
  return threads
}

/** Serves until the test ends, however it does. */
async function start(t: TestContext, given: string | URL, options?: ServeOptions): Promise<ScherzoServer> {
  const server = await serve(given, options)
  t.after(() => server.close())
  return server
}

async function refuses(given: string, options: ServeOptions, expected: object): Promise<void> {
  // A server that starts all the same must not keep the test alive.
  await rejects(async () => (await serve(given, options)).close(), expected)
}

function runMain(file: string): Child['ended'] {
  return new Child(process.execPath, [file], { cwd: folder }).ended
}

/** What a program wrote: the messages of its log, without the times in them, and lines of its own. */
function messagesOf(stdout: string): string[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith('{') ? (JSON.parse(line) as { msg: string }).msg : line))
    .map((message) => message.replace(/ in \d+ ms$/, ''))
}

/** Asks on a connection of its own. */
async function textOf(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  equal(response.status, 200)
  return response.text()
}

async function inEnvironment(
  variables: Readonly<Record<string, string>>,
  run: () => Promise<void>
): Promise<void> {
  const before = { ...process.env }
  Object.assign(process.env, variables)
  try {
    await run()
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
}
