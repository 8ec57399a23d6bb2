import { equal, ok } from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { startScherzo, startServing } from './testing/child.ts'
import type { Child } from './testing/child.ts'
import { APP, SIDE_BY_SIDE, stop, textOf } from './testing/command.ts'
import { isFree, listenAlone } from './testing/ports.ts'
import { refuses, testRefusals } from './testing/refusals.ts'
import type { Refusal } from './testing/refusals.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const folder = temporaryFolder({
  'app.ts': APP
})

const NO_PORT = 'use a whole number from 0 to 65535'
const NO_WORKERS = 'use a whole number from 1 to 1024'

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
  }
]

describe('in one line on stderr, scherzo refuses', SIDE_BY_SIDE, () => {
  testRefusals(folder, refusals)

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

function start(args: readonly string[]): Child {
  return startScherzo(args, { cwd: folder })
}

function takenLine(port: number): string {
  return `Cannot listen on 127.0.0.1:${port}: the port is in use; stop the other server or choose another port`
}
