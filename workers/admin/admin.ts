import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { HostAndPort } from '../../core/setting-readers.ts'
import type { ServerView } from '../server-view.ts'

export interface AdminServer extends HostAndPort {
  close(): Promise<void>
}

/** Placeholder until the admin server is written. */
export async function startAdmin(
  { host, port }: HostAndPort,
  view: ServerView,
  _log: Logger
): Promise<AdminServer> {
  const server = createServer((_request, response) => response.end(view.state))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve()))
  }
}
