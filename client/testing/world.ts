import { mock } from 'node:test'
import type { TestContext } from 'node:test'
import { connect } from '../index.ts'
import type { AnyChannels, Client, ClientOptions } from '../index.ts'
import { FakeServer } from './fake-server.ts'

// The client beside a server and a clock that only move when a test says so.

export interface World {
  readonly server: FakeServer
  readonly client: Client<AnyChannels>
  /** Everything that is under way arrives. */
  settle(): Promise<void>
  /** Time passes, and nothing arrives. */
  pass(milliseconds: number): Promise<void>
}

export async function begin(
  t: TestContext,
  options: ClientOptions = {},
  prepare: (server: FakeServer) => void = () => {}
): Promise<World> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  // The full time of every wait, so that a test can tell what it is.
  const random = t.mock.method(Math, 'random', () => 1)
  const server = new FakeServer()
  prepare(server)
  const client = connect('ws://server/live', { WebSocket: server.WebSocket, ...options })
  t.after(() => {
    client.close()
    random.mock.restore()
    mock.timers.reset()
  })
  await flush()
  const settle = async (): Promise<void> => {
    server.socket?.settle()
    await flush()
  }
  const pass = async (milliseconds: number): Promise<void> => {
    mock.timers.tick(milliseconds)
    await flush()
  }
  return { server, client, settle, pass }
}

export async function flush(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve()
}
