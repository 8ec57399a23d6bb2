import { randomBytes } from 'node:crypto'
import { connect as connectHttp2 } from 'node:http2'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader
} from 'node:http2'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { GivenSettings } from '../../core/settings.ts'
import type { App } from '../app.ts'
import { createCertificate } from './certificate.ts'
import { listenWith, loadHere } from './loaded-app.ts'
import type { LoadedApp } from './loaded-app.ts'
import { RawClient } from './raw-client.ts'

const { cert, key } = createCertificate()

/** What clients trust the servers of this file with. */
export const ca: string = cert

/** An app that listens in this process and speaks TLS. */
export type TlsApp = LoadedApp & App

/** @param file relative to this folder */
export async function listenTls(file: string, given: GivenSettings = {}): Promise<TlsApp> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const app = await loadHere(path, given, {
    cert,
    key,
    ticketKeys: randomBytes(48),
    http2: given.http2 !== false
  })
  return { ...app, ...(await listenWith(app)) }
}

export function connectTls(port: number, options: ConnectionOptions = {}): TLSSocket {
  return connect({ port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'], ...options })
}

/** A client that writes bytes as they stand, within TLS. */
export function openTls(port: number): Promise<RawClient> {
  return RawClient.on(connectTls(port).setNoDelay(), 'secureConnect')
}

export function openHttp2(port: number): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca })
  // How a connection ends is for the test to judge by its streams.
  session.on('error', () => {})
  return session
}

export type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader

/** Waits for the head of a response; fails if its stream ends before. */
export function headOf(stream: ClientHttp2Stream): Promise<ResponseHeaders> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve).once('error', reject)
    stream.once('close', () => reject(new Error(`closed with code ${stream.rstCode}`)))
  })
}

/** Sends a request and reads its response whole. */
export async function ask(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body?: string | Buffer
): Promise<{ status: number | undefined; headers: ResponseHeaders; body: string }> {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const head = await headOf(stream)
  return { status: head[':status'], headers: head, body: await text(stream) }
}
