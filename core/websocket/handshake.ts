import { hash } from 'node:crypto'
import { catalogue } from '../errors.ts'
import { compressesItself } from './deflate-protocol.ts'
import { negotiateDeflate } from './deflate.ts'
import type { DeflateAgreement } from './deflate.ts'
import { parseExtensions } from './extensions.ts'

/** What the handshake looks at; an `http.IncomingMessage` has this shape. */
export interface HandshakeRequest {
  readonly method?: string | undefined
  readonly httpVersion: string
  /** Names and values in turn, as received. */
  readonly rawHeaders: readonly string[]
}

export interface HandshakeOptions {
  /**
   * Chooses among the subprotocols that the client offers, its favourite first; null for none. Not called where it offers
   * none. A choice that was not offered counts as none, since the client would have to close the connection.
   *
   * @param deflates whether permessage-deflate can be agreed on
   */
  readonly chooseProtocol: ((offered: readonly string[], deflates: boolean) => string | null) | null
  /**
   * The origins that may connect, as browsers spell them: `https://example.com`. Null, and a list with `*`, allow all. A
   * request without an Origin is allowed: no browser sends one, and any other client could make one up.
   */
  readonly origins: readonly string[] | null
  /** Whether to compress where the client can. */
  readonly deflate: boolean
}

export interface AcceptedHandshake {
  readonly isAccepted: true
  /** The whole response, to be written as it is. */
  readonly head: string
  readonly protocol: string | null
  readonly deflate: DeflateAgreement | null
}

export interface RefusedHandshake {
  readonly isAccepted: false
  readonly code: HandshakeErrorCode
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export type HandshakeErrorCode =
  | 'SCZ_ERR_HOST'
  | 'SCZ_ERR_WS_REQUEST'
  | 'SCZ_ERR_WS_UPGRADE'
  | 'SCZ_ERR_WS_VERSION'
  | 'SCZ_ERR_WS_KEY'
  | 'SCZ_ERR_WS_PROTOCOL'
  | 'SCZ_ERR_WS_EXTENSIONS'
  | 'SCZ_ERR_WS_ORIGIN'

/** Decides whether a request opens a WebSocket (RFC 6455 section 4.2). */
export function shakeHands(
  request: HandshakeRequest,
  options: HandshakeOptions
): AcceptedHandshake | RefusedHandshake {
  if (request.method !== 'GET' || request.httpVersion !== '1.1') return refuse('SCZ_ERR_WS_REQUEST')
  const fields = fieldsOf(request.rawHeaders)
  if (fields.get('host')?.length !== 1) return refuse('SCZ_ERR_HOST')
  if (!hasToken(fields, 'upgrade', 'websocket') || !hasToken(fields, 'connection', 'upgrade')) {
    return refuse('SCZ_ERR_WS_UPGRADE')
  }
  // Before the key: a client of an old draft has none, and is to learn which version we speak.
  const versions = fields.get('sec-websocket-version')
  if (versions?.length !== 1 || versions[0] !== '13') return refuse('SCZ_ERR_WS_VERSION')
  const keys = fields.get('sec-websocket-key')
  if (keys?.length !== 1 || !KEY.test(keys[0]!)) return refuse('SCZ_ERR_WS_KEY')

  const protocols = listOf(fields, 'sec-websocket-protocol')
  if (!protocols.every((name) => TOKEN.test(name)) || new Set(protocols).size < protocols.length) {
    return refuse('SCZ_ERR_WS_PROTOCOL')
  }
  const offers = parseExtensions((fields.get('sec-websocket-extensions') ?? []).join(','))
  if (offers === null) return refuse('SCZ_ERR_WS_EXTENSIONS')
  if (!isAllowed(fields.get('origin') ?? [], options.origins)) return refuse('SCZ_ERR_WS_ORIGIN')

  const agreement = options.deflate ? negotiateDeflate(offers) : null
  const protocol =
    protocols.length > 0 && options.chooseProtocol !== null
      ? options.chooseProtocol(protocols, agreement !== null)
      : null
  const chosen = protocol !== null && protocols.includes(protocol) ? protocol : null
  // What is compressed already gets no smaller.
  const deflate = compressesItself(chosen) ? null : agreement
  return { isAccepted: true, head: composeHead(keys[0]!, chosen, deflate), protocol: chosen, deflate }
}

/** 16 bytes in base64: 22 digits, the last of which has four bits to spare that are zero. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

type Fields = ReadonlyMap<string, readonly string[]>

/** The values of each header line by its name in lower case. */
function fieldsOf(rawHeaders: readonly string[]): Fields {
  const fields = new Map<string, string[]>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!.trim()
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else values.push(value)
  }
  return fields
}

/** The elements of a list with commas, over all its header lines; empty ones do not count (RFC 9110 section 5.6.1.2). */
function listOf(fields: Fields, name: string): string[] {
  const values = fields.get(name) ?? []
  return values
    .flatMap((value) => value.split(',').map((element) => element.trim()))
    .filter((element) => element !== '')
}

function hasToken(fields: Fields, name: string, token: string): boolean {
  return listOf(fields, name).some((element) => element.toLowerCase() === token)
}

function isAllowed(given: readonly string[], origins: readonly string[] | null): boolean {
  return origins === null || origins.includes('*') || given.every((origin) => origins.includes(origin))
}

function composeHead(key: string, protocol: string | null, deflate: DeflateAgreement | null): string {
  // RFC 6455 section 1.3.
  const accept = hash('sha1', `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64')
  let head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`
  if (protocol !== null) head += `Sec-WebSocket-Protocol: ${protocol}\r\n`
  if (deflate !== null) head += `Sec-WebSocket-Extensions: ${deflate.header}\r\n`
  return `${head}\r\n`
}

function refuse(code: HandshakeErrorCode): RefusedHandshake {
  return {
    isAccepted: false,
    code,
    status: catalogue[code].status,
    // Nobody can know what the bytes behind a refused handshake are. RFC 9110 section 15.5.22: 426 names its protocol.
    headers:
      code === 'SCZ_ERR_WS_VERSION'
        ? { Connection: 'close, Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' }
        : { Connection: 'close' }
  }
}
