import type { TestContext } from 'node:test'
import type { GivenSettings } from '../../../core/settings.ts'
import { RawClient } from '../../../workers/testing/raw-client.ts'
import type { HubRouteOptions } from '../options.ts'
import { handshake, startEndpoints } from './endpoint-server.ts'
import type { EndpointServer } from './endpoint-server.ts'

export const echo: HubRouteOptions = { onMessage: (socket, data, isBinary) => socket.send(data, isBinary) }

/** Serves a route on which messages come back, unless the options say otherwise. */
export function startEcho(
  context: TestContext,
  options: HubRouteOptions = {},
  settings: GivenSettings = {}
): Promise<EndpointServer> {
  return startEndpoints(
    context,
    (fastify, route) => route(fastify, '/echo', { ...echo, ...options }),
    settings
  )
}

/** An open connection to it, with a header in its handshake and bytes right behind that. */
export async function openEcho(
  server: EndpointServer,
  header: string,
  behind: Buffer = Buffer.alloc(0)
): Promise<RawClient> {
  const client = await RawClient.open(server.port)
  client.send(handshake('/echo', ...(header === '' ? [] : [header])) + latin1(behind))
  await client.receive(/\r\n\r\n/)
  return client
}

export function latin1(bytes: Buffer): string {
  return bytes.toString('latin1')
}

/** Writes to the socket that a server has for a client. */
export function countWrites(server: EndpointServer, index = 0): { count: number } {
  const socket = server.sockets[index]!
  const { write } = socket
  const writes = { count: 0 }
  socket.write = function (this: typeof socket, ...values: unknown[]) {
    writes.count++
    return write.apply(this, values as Parameters<typeof write>)
  } as typeof socket.write
  return writes
}
