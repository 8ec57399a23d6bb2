import { equal } from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startServing } from './testing/child.ts'
import { SIDE_BY_SIDE, stop, textOf } from './testing/command.ts'
import { testRefusals } from './testing/refusals.ts'
import type { Refusal } from './testing/refusals.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
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

const NO_PLUGIN =
  'as an app: its default export must be a Fastify plugin, "export default async function app (fastify) {}"'
const LOOK = 'look for process.exit() or a fatal error in the app'

const refusals: readonly Refusal[] = [
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

describe('scherzo', SIDE_BY_SIDE, () => {
  for (const file of ['module.ts', 'module.js', 'module.mjs', 'common.js', 'compiled.js']) {
    test(`serves ${file} from outside the repository, and it may import scherzo`, async () => {
      const { child, address } = await startServing([file, '--workers', '1'], { cwd: folder })
      equal(await textOf(`${address}/`), 'ScherzoError')
      await stop(child)
    })
  }
})

describe('in one line on stderr, scherzo refuses', SIDE_BY_SIDE, () => testRefusals(folder, refusals))
