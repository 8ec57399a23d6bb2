import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { publint } from 'publint'
import { Child, addressOf } from './testing/child.ts'
import type { Ended } from './testing/child.ts'
import { installPackage, packPackage, repository, succeeds } from './testing/installed-package.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

interface Manifest {
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly version: string
}

/** A statement as `tsc` writes it that imports what is not a file of the package. */
const IMPORT = /^(?:import|export|\})(?:.* from)? '([^.'][^']*)';?$/gm

const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Manifest

describe('the package', () => {
  const tsconfig = {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      types: ['node'],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true
    }
  }
  const user = temporaryFolder({
    'app.ts': `
      import type { FastifyInstance } from 'fastify'
      import 'scherzo'
      export default async function app(fastify: FastifyInstance): Promise<void> {
        fastify.fast.text('/plaintext', 'Hello, World!')
        fastify.fast.json('/agent', (request) => ({ agent: request.header('user-agent') ?? null }))
        fastify.get('/users/:id', async (request) => request.params)
      }`,
    'app.js': `
      import { ScherzoError } from 'scherzo'
      export default async function app(fastify) {
        if (typeof ScherzoError !== 'function') throw new Error('another scherzo')
        fastify.fast.text('/plaintext', 'Hello, World!')
        fastify.get('/users/:id', async (request) => request.params)
      }`,
    'main.mts': `
      import { ScherzoError, serve } from 'scherzo'
      import type { ScherzoServer } from 'scherzo'
      const server: ScherzoServer = await serve('./app.ts', { port: 0, workers: 2 })
      const response = await fetch(server.address + '/plaintext')
      console.log(await response.text())
      await server.close()
      await serve('gone.ts').catch((error: ScherzoError) => console.log(error.code))`,
    'wrong.mts': `
      import type { FastifyInstance } from 'fastify'
      import { serve } from 'scherzo'
      export default async function app(fastify: FastifyInstance): Promise<void> {
        fastify.fast.text('/plaintext', 1)
        fastify.fast.nothing('/plaintext')
      }
      await serve('./app.ts', { port: '3000' })`,
    'contract.ts': `
      export interface Channels {
        ticks: { readonly price: number }
        [room: \`room:\${string}\`]: { readonly text: string }
      }`,
    'client.mts': `
      import { serve } from 'scherzo'
      import { connect } from 'scherzo/client'
      import type { Channels } from './contract.ts'
      const server = await serve('./live.ts', { port: 0, workers: 1 })
      const client = connect<Channels>(server.address.replace('http', 'ws') + '/live')
      const messages = client.subscribe('room:1')
      await messages.ready
      await client.publish('room:1', { text: 'hello' })
      for await (const { data, offset } of messages) {
        console.log(data.text.toUpperCase(), offset)
        break
      }
      client.close()
      await server.close()`,
    'live.ts': `
      import type { FastifyInstance } from 'fastify'
      import 'scherzo'
      import type { Channels } from './contract.ts'
      declare module 'scherzo' {
        interface HubChannels extends Channels {}
      }
      export default async function app(fastify: FastifyInstance): Promise<void> {
        fastify.hub.route('/live', { authorize: () => true })
        void (() => fastify.hub.publish('ticks', { price: 1 }))
        void (() => fastify.hub.publish(\`room:\${1}\`, { text: '' }, { key: '' }))
      }`,
    'page.ts': `
      import { connect } from 'scherzo/client'
      import type { Channels } from './contract.ts'
      const client = connect<Channels>('wss://example.com/live', { WebSocket })
      client.subscribe('ticks', ({ price }) => document.title = price.toFixed())
      connect('wss://example.com').subscribe('anything', (data: unknown) => data)
      client.on('lost', ({ channel, from, to }) => document.title = channel + from + to)`,
    'wrong-contract.ts': `
      import type { FastifyInstance } from 'fastify'
      import './live.ts'
      import { connect } from 'scherzo/client'
      import type { Channels } from './contract.ts'
      export function wrong(fastify: FastifyInstance): void {
        void fastify.hub.publish('ticks', { price: '1' })
        void fastify.hub.publish('tocks', { price: 1 })
        void fastify.hub.publish('room:1', { price: 1 })
        const client = connect<Channels>('ws://localhost')
        client.subscribe('tocks', () => {})
        client.subscribe('ticks', ({ text }) => text)
        void client.publish('room:1', { price: 1 })
        client.on('nothing', () => {})
      }`,
    'tsconfig.contract.json': JSON.stringify({ ...tsconfig, files: ['live.ts', 'client.mts'] }),
    'tsconfig.wrong-contract.json': JSON.stringify({ ...tsconfig, files: ['wrong-contract.ts'] }),
    'tsconfig.page.json': JSON.stringify({
      compilerOptions: {
        ...tsconfig.compilerOptions,
        module: 'esnext',
        moduleResolution: 'bundler',
        lib: ['es2022', 'dom', 'dom.iterable'],
        types: []
      },
      files: ['page.ts']
    }),
    'tsconfig.json': JSON.stringify({ ...tsconfig, files: ['app.ts', 'main.mts'] }),
    'tsconfig.wrong.json': JSON.stringify({ ...tsconfig, files: ['wrong.mts'] })
  })
  const installed = join(user, 'node_modules', 'scherzo')
  let tarball = ''
  let packed: readonly string[] = []

  before(async () => {
    tarball = await packPackage()
    await installPackage(tarball, user)
    packed = filesIn(installed)
    linkDevelopment('@types/node', join(user, 'node_modules'))
  })

  test('is named by its version', () => {
    equal(basename(tarball), `scherzo-${manifest.version}.tgz`)
  })

  test('holds what its manifest says, and no test', () => {
    const always = /^(package\.json|LICENSE|README\.md)$/
    const rest = packed.filter((file) => !always.test(file) && !manifest.files.includes(file.split('/')[0]!))
    deepEqual(rest, [])
    for (const file of [
      'package.json',
      'LICENSE',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/workers/worker.js',
      'dist/workers/admin/dashboard/index.html',
      'dist/client/index.js',
      'dist/client/index.d.ts',
      'dist/client/client.min.js'
    ])
      ok(packed.includes(file), file)
    deepEqual(
      packed.filter((file) => /\.test\.|\/(testing|conformance|equivalence)\//.test(file)),
      []
    )
  })

  test('imports nothing but its dependencies', () => {
    const known = Object.keys(manifest.dependencies)
    const imports = packed
      .filter((file) => /\.(js|d\.ts)$/.test(file))
      .flatMap((file) => Array.from(readFileSync(join(installed, file), 'utf8').matchAll(IMPORT)))
      .map(([, name = '']) => name)
    ok(imports.includes('fastify'))
    deepEqual(
      [...new Set(imports)].filter((name) => !isBuiltin(name) && !known.includes(name)),
      []
    )
  })

  test('has nothing that publint remarks on', async () => {
    const bytes = readFileSync(tarball)
    const { messages } = await publint({
      pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) }
    })
    deepEqual(messages, [])
  })

  for (const file of ['app.ts', 'app.js']) {
    test(`serves a user's ${file} on both lanes with the command that npm installed`, async () => {
      const child = scherzo(['serve', file, '--port', '0', '--workers', '2'])
      const { address } = await addressOf(child)
      equal(await textOf(`${address}/plaintext`), 'Hello, World!')
      equal(await textOf(`${address}/users/7`), '{"id":"7"}')
      child.signal('SIGTERM')
      const { code, stdout } = await child.ended
      equal(code, 0)
      match(stdout, /{"methods":\["GET","HEAD"\],"path":"\/plaintext","lane":"fast","note":""}/)
    })
  }

  test('serves the dashboard with its charts', async () => {
    const child = scherzo(['serve', 'app.js', '--port', '0', '--workers', '1', '--admin', '127.0.0.1:0'])
    const [, admin = ''] = await child.printed(/"admin":"(http:[^"]+)"/)
    const page = await fetch(admin, { headers: { accept: 'text/html' } })
    match(await page.text(), /<script type="module" src="\/dashboard\/main\.js">/)
    match(await textOf(`${admin}/dashboard/main.js`), /^import /)
    match(await textOf(`${admin}/dashboard/uplot.js`), /export \{ uPlot as default \}/)
    child.signal('SIGTERM')
    equal((await child.ended).code, 0)
  })

  test('prints its version', async () => {
    equal((await scherzo(['--version']).ended).stdout, `${manifest.version}\n`)
  })

  test("is served from a user's own program", async () => {
    const { code, stdout } = await new Child(process.execPath, ['main.mts'], {
      cwd: user,
      env: { SCHERZO_LOG_LEVEL: 'warn' }
    }).ended
    deepEqual([code, stdout], [0, 'Hello, World!\nSCZ_ERR_APP_MISSING\n'])
  })

  test("has declarations with which a user's app passes the type check", async () => {
    succeeds(await typeCheck())
  })

  test("has declarations that find the mistakes of a user's app", async () => {
    const { stdout } = await typeCheck('-p', 'tsconfig.wrong.json')
    const lines = [...stdout.matchAll(/^wrong\.mts\((\d+),/gm)].map(([, line]) => Number(line))
    deepEqual(lines, [5, 6, 8])
  })

  test("has a client that runs in a user's program", async () => {
    const { code, stdout } = await new Child(process.execPath, ['client.mts'], {
      cwd: user,
      env: { SCHERZO_LOG_LEVEL: 'warn' }
    }).ended
    deepEqual([code, stdout], [0, 'HELLO 1\n'])
  })

  test('has the client as one file, too, with nothing to import', async () => {
    const path = join(installed, 'dist', 'client', 'client.min.js')
    doesNotMatch(readFileSync(path, 'utf8'), /\bimport\b/)
    const { connect } = (await import(pathToFileURL(path).href)) as { readonly connect: unknown }
    equal(typeof connect, 'function')
  })

  test('takes one interface of channels for the app and the client, in programs for Node and pages', async () => {
    succeeds(await typeCheck('-p', 'tsconfig.contract.json'))
    succeeds(await typeCheck('-p', 'tsconfig.page.json'))
    const { stdout } = await typeCheck('-p', 'tsconfig.wrong-contract.json')
    const lines = [...stdout.matchAll(/^wrong-contract\.ts\((\d+),/gm)].map(([, line]) => Number(line))
    deepEqual(lines, [7, 8, 9, 11, 12, 13, 14])
  })

  function scherzo(args: readonly string[]): Child {
    return new Child(join(user, 'node_modules', '.bin', 'scherzo'), args, { cwd: user })
  }

  function typeCheck(...args: readonly string[]): Promise<Ended> {
    const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc')
    return new Child(process.execPath, [tsc, ...args], { cwd: user }).ended
  }
})

function linkDevelopment(name: string, target: string): void {
  const link = join(target, name)
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(join(repository, 'node_modules', name), link)
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url)
  equal(response.status, 200)
  return response.text()
}
