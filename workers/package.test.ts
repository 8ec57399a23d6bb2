import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { publint } from 'publint'
import { Child, addressOf } from './testing/child.ts'
import type { Ended } from './testing/child.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

interface Manifest {
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly version: string
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>
}

/** A statement as `tsc` writes it that imports what is not a file of the package. */
const IMPORT = /^(?:import|export|\})(?:.* from)? '([^.'][^']*)';?$/gm

const repository = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Manifest

describe('the package', () => {
  const cache = temporaryFolder()
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
    const output = temporaryFolder()
    const pack = ['pack', '--json', '--pack-destination', output]
    succeeds(await npm(pack, copyOfSources()))
    const [file = ''] = readdirSync(output)
    tarball = join(output, file)

    // With what it depends on in place, npm has nothing to ask a registry for.
    copyDependencies(join(user, 'node_modules'))
    succeeds(await npm(['install', '--offline', tarball], user))
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

  function npm(args: readonly string[], cwd: string): Promise<Ended> {
    const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--cache', cache]
    return new Child('npm', [...args, ...quiet], { cwd }).ended
  }
})

/** Builds take place in a copy: whoever works in the repository has its `dist` for himself. */
function copyOfSources(): string {
  const copy = temporaryFolder()
  const left = new Set(['.git', 'node_modules', 'dist'])
  cpSync(repository, copy, { recursive: true, filter: (path) => !left.has(basename(path)) })
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Copies what the lock file says that a user of the package gets. */
function copyDependencies(target: string): void {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock
  for (const [path, { dev, devOptional }] of Object.entries(lock.packages)) {
    const source = join(repository, path)
    if (path === '' || dev === true || devOptional === true || !existsSync(source)) continue
    cpSync(source, join(target, relative('node_modules', path)), { recursive: true })
  }
  // A package whose commands are not linked counts as not installed.
  const commands = join(target, '.bin')
  mkdirSync(commands)
  for (const name of readdirSync(join(repository, 'node_modules', '.bin'))) {
    const link = readlinkSync(join(repository, 'node_modules', '.bin', name))
    if (existsSync(join(commands, link))) symlinkSync(link, join(commands, name))
  }
}

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

function succeeds({ code, signal, stdout, stderr }: Ended): void {
  equal(code, 0, `ended with ${code ?? signal}:\n${stdout}${stderr}`)
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url)
  equal(response.status, 200)
  return response.text()
}
