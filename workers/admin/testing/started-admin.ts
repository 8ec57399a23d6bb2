import { notEqual } from 'node:assert/strict'
import { after } from 'node:test'
import { pino } from 'pino'
import type { Logger } from 'pino'
import type { HostAndPort } from '../../../core/setting-readers.ts'
import type { ServerView } from '../../server-view.ts'
import { startAdmin } from '../admin.ts'
import type { AdminServer } from '../admin.ts'

export const HERE: HostAndPort = { host: '127.0.0.1', port: 0 }
export const SILENT: Logger = pino({ level: 'silent' })

const started: AdminServer[] = []
after(() => Promise.all(started.map((admin) => admin.close())))

/** An admin server that closes when the tests of its file have ended. */
export async function start(
  view: ServerView,
  address: HostAndPort = HERE,
  log: Logger = SILENT
): Promise<AdminServer> {
  const admin = await startAdmin(address, view, log)
  notEqual(admin.port, 0)
  started.push(admin)
  return admin
}

export function urlOf({ host, port }: AdminServer, path: string): string {
  return `http://${host}:${port}${path}`
}

export function get(admin: AdminServer, path: string, accept = '*/*'): Promise<Response> {
  return fetch(urlOf(admin, path), { headers: { accept } })
}
