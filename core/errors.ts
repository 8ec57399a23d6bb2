import { format } from 'node:util'

/**
 * Every error that Scherzo itself raises: `message` is one sentence that says what is wrong and what to do, `status` the
 * HTTP status where the error answers a request, `closeCode` the WebSocket close code where it ends a connection. docs/ERRORS.md explains each code; a test holds the two together.
 */
export const catalogue = {
  SCZ_ERR_NODE_VERSION: {
    message: 'Scherzo needs Node.js %s or later, and this is %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_COMMAND: {
    message: 'Unknown command "%s": use "serve" or "routes", or --help for the whole list',
    status: null,
    closeCode: null
  },
  SCZ_ERR_ARGUMENTS: {
    message: 'Wrong arguments: %s; see --help',
    status: null,
    closeCode: null
  },
  SCZ_ERR_SETTING: {
    message: 'Invalid value "%s" for %s: use %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_OPTION_UNKNOWN: {
    message: 'Unknown option "%s": the options of serve() are %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_APP_MISSING: {
    message: 'Cannot find the app %s: check the path',
    status: null,
    closeCode: null
  },
  SCZ_ERR_APP_EXPORT: {
    message:
      'Cannot use %s as an app: its default export must be a Fastify plugin, "export default async function app (fastify) {}"',
    status: null,
    closeCode: null
  },
  SCZ_ERR_APP_START: {
    message: 'Cannot start %s: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_WORKER_EXIT: {
    message: 'Worker %d ended with code %d %s: look for process.exit() or a fatal error in the app',
    status: null,
    closeCode: null
  },
  SCZ_ERR_WORKER_ERROR: {
    message: 'Worker %d ended with an uncaught error: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_WORKER_STUCK: {
    message: 'Worker %d is stuck, its loop has not turned for %d s: look for an endless loop in the app',
    status: null,
    closeCode: null
  },
  SCZ_ERR_WORKERS_GONE: {
    message: 'No worker comes up any more: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_RELOAD: {
    message: 'Cannot reload, the workers from before go on: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_CLOSED: {
    message: 'Cannot %s: the server is closing',
    status: null,
    closeCode: null
  },
  SCZ_ERR_POOL_FULL: {
    message: 'The server is busy: try again later',
    status: 503,
    closeCode: null
  },
  SCZ_ERR_POOL_THREAD: {
    message: 'The thread that ran the handler ended: %s',
    status: 500,
    closeCode: null
  },
  SCZ_ERR_POOL_STUCK: {
    message:
      'Thread %d of the pool is stuck, its loop has not turned for %d s: look for an endless loop in the app',
    status: null,
    closeCode: null
  },
  SCZ_ERR_POOL_SOCKET: {
    message:
      'The handler wrote to the socket, which a pool thread does not have: give the route "config: { inline: true }"',
    status: 500,
    closeCode: null
  },
  SCZ_ERR_TLS_PAIR: {
    message: '%s needs %s beside it: give both the certificate and its key, or neither',
    status: null,
    closeCode: null
  },
  SCZ_ERR_TLS_FILE: {
    message: 'Cannot use %s for TLS: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_ADMIN_LISTEN: {
    message: 'Cannot listen on %s for the admin server (--admin): %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_ADMIN_HOST: {
    message:
      'The admin server does not answer for the host "%s": use an IP address, localhost or the host of --admin',
    status: 403,
    closeCode: null
  },
  SCZ_ERR_LISTEN: {
    message: 'Cannot listen on %s: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_FAST_PATH: {
    message:
      "Cannot make %s a fast route: a fast route needs an exact path of letters, digits and -._~!$&'()+,=@/; use fastify.route() for the rest",
    status: null,
    closeCode: null
  },
  SCZ_ERR_FAST_OPTION: {
    message: 'Invalid option "%s" of the fast route %s: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_FAST_VALUE: {
    message: 'Cannot answer the fast route %s: %s',
    status: 500,
    closeCode: null
  },
  SCZ_ERR_FAST_ASYNC: {
    message:
      'Cannot answer the fast route %s: its handler is asynchronous; make it synchronous, or use fastify.route()',
    status: 500,
    closeCode: null
  },
  SCZ_ERR_HOST: {
    message: 'The request needs exactly one well-formed Host header',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_TARGET: {
    message: 'The request target "*" goes with OPTIONS only',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_TRANSFER_ENCODING: {
    message: 'The Transfer-Encoding header is empty',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_REQUEST: {
    message: 'A WebSocket starts with a GET request over HTTP/1.1',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_UPGRADE: {
    message: 'A WebSocket needs the headers "Upgrade: websocket" and "Connection: Upgrade"',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_VERSION: {
    message: 'The server speaks version 13 of the WebSocket protocol only',
    status: 426,
    closeCode: null
  },
  SCZ_ERR_WS_KEY: {
    message: 'A WebSocket needs one Sec-WebSocket-Key header of 16 bytes in base64',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_PROTOCOL: {
    message: 'The Sec-WebSocket-Protocol header must be a list of different tokens',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_EXTENSIONS: {
    message: 'The Sec-WebSocket-Extensions header is malformed',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_ORIGIN: {
    message: 'Pages of this origin may not open a WebSocket here',
    status: 403,
    closeCode: null
  },
  SCZ_ERR_WS_ONLY: {
    message: 'This path speaks WebSocket only',
    status: 426,
    closeCode: null
  },
  SCZ_ERR_WS_BODY: {
    message: 'The request for a WebSocket must not have a body',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_BODY_SIZE: {
    message: 'The request for a WebSocket announces a body of more than %d bytes, and must not have any',
    status: 413,
    closeCode: null
  },
  SCZ_ERR_WS_BUSY: {
    message: 'The server takes no more WebSockets at present: try again later',
    status: 503,
    closeCode: null
  },
  SCZ_ERR_WS_OPTION: {
    message: 'Invalid option "%s" of the WebSocket route %s: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_WS_BATCH: {
    message:
      'Cannot send batches of "%s": use batch=0, batch=1, or a size from 10 to 1000 and milliseconds from 5 to 1000, as in batch=500,20',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_WS_TAG: {
    message:
      'The client sent a binary message that begins neither with 0 nor with 1, as its subprotocol asks',
    status: null,
    closeCode: 1007
  },
  SCZ_ERR_WS_UNMASKED: {
    message: 'The client sent a frame that is not masked',
    status: null,
    closeCode: 1002
  },
  SCZ_ERR_WS_RESERVED_BITS: {
    message: 'The client sent a frame with a reserved bit that means nothing here',
    status: null,
    closeCode: 1002
  },
  SCZ_ERR_WS_OPCODE: {
    message: 'The client sent a frame with the reserved opcode %d',
    status: null,
    closeCode: 1002
  },
  SCZ_ERR_WS_CONTROL_FRAME: {
    message: 'The client sent a control frame in fragments or of more than 125 bytes',
    status: null,
    closeCode: 1002
  },
  SCZ_ERR_WS_CONTINUATION: {
    message: 'The client mixed up the fragments of a message',
    status: null,
    closeCode: 1002
  },
  SCZ_ERR_WS_CLOSE_FRAME: {
    message: 'The client sent a close frame with a code that must not be sent',
    status: null,
    closeCode: 1002
  },
  SCZ_ERR_WS_TEXT: {
    message: 'The client sent text that is not valid UTF-8',
    status: null,
    closeCode: 1007
  },
  SCZ_ERR_WS_COMPRESSED_DATA: {
    message: 'The client sent a compressed message that cannot be inflated',
    status: null,
    closeCode: 1007
  },
  SCZ_ERR_WS_FRAGMENTS: {
    message: 'The client sent a message of more than %d fragments',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_WS_MESSAGE_SIZE: {
    message: 'The client sent a message of more than %d bytes',
    status: null,
    closeCode: 1009
  },
  SCZ_ERR_WS_PING_SIZE: {
    message: 'Cannot send a ping or pong of %d bytes: use at most 125',
    status: null,
    closeCode: null
  },
  SCZ_ERR_WS_CLOSE_CODE: {
    message: 'Cannot close with code %d: use 1000 to 1003, 1007 to 1014 or 3000 to 4999',
    status: null,
    closeCode: null
  },
  SCZ_ERR_WS_ADDRESS: {
    message: 'Your address has as many WebSockets here as it may have: close one first',
    status: 429,
    closeCode: null
  },
  SCZ_ERR_IDENTITY_REFUSED: {
    message: 'The request does not say who sends it, or is not believed: authenticate first',
    status: 401,
    closeCode: null
  },
  SCZ_ERR_IDENTITY_FORBIDDEN: {
    message: 'You may not subscribe to the channels of this path',
    status: 403,
    closeCode: null
  },
  SCZ_ERR_IDENTITY_LIMIT: {
    message: 'You have as many WebSockets here as you may have: close one first',
    status: 429,
    closeCode: null
  },
  SCZ_ERR_IDENTITY_UNAVAILABLE: {
    message: 'The server cannot check tokens at present: try again later',
    status: 503,
    closeCode: null
  },
  SCZ_ERR_IDENTITY_VALUE: {
    message: 'Cannot use the identity that the app gave: %s',
    status: 500,
    closeCode: null
  },
  SCZ_ERR_IDENTITY_OPTION: {
    message: 'Invalid option "%s" of jwt(): %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_IDENTITY_EXPIRED: {
    message: 'Your identity has expired: connect again with a new one',
    status: null,
    closeCode: 4001
  },
  SCZ_ERR_IDENTITY_TOKEN: {
    message: 'The token is not accepted',
    status: null,
    closeCode: 4003
  },
  SCZ_ERR_IDENTITY_AWAITED: {
    message: 'The first message has to be a token, and the next has to wait until it is accepted',
    status: null,
    closeCode: 4003
  },
  SCZ_ERR_IDENTITY_LATE: {
    message: 'No accepted token came within %d s',
    status: null,
    closeCode: 4003
  },
  SCZ_ERR_IDENTITY_RENEW: {
    message: 'Cannot renew the identity of the socket: %s',
    status: null,
    closeCode: 4003
  },
  SCZ_ERR_IDENTITY_SUBSCRIBE: {
    message: 'You may not subscribe to the channel "%s"',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_IDENTITY_PRESENCE: {
    message: 'You may not see who is in the channel "%s"',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_IDENTITY_SOCKETS: {
    message: 'You have as many WebSockets here as you may have: close one first',
    status: null,
    closeCode: 4004
  },
  SCZ_ERR_LIMIT_MESSAGES: {
    message: 'You send more than %d messages a second: slow down',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_LIMIT_SUBSCRIPTIONS: {
    message: 'You ask for more than %d subscriptions a second: slow down',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_LIMIT_CHANNELS: {
    message: 'You have %d channels on this connection, as many as you may: unsubscribe from one first',
    status: null,
    closeCode: null
  },
  SCZ_ERR_LIMIT_NAME: {
    message: 'The name of a channel has to have 1 to %d bytes in UTF-8, and no control characters',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HTTP_OPTION: {
    message: 'Invalid option "%s" of the route %s: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HTTP_BODY: {
    message: 'Cannot publish this: %s',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_HTTP_QUERY: {
    message: 'Invalid "%s" in the query: use %s',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_HTTP_LAST_EVENT_ID: {
    message: 'Invalid Last-Event-ID: use the id of the last event of this stream, or none',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_HTTP_CHANNELS: {
    message: 'Cannot follow these channels: %s',
    status: 400,
    closeCode: null
  },
  SCZ_ERR_HTTP_FORBIDDEN: {
    message: 'You may not %s the channel "%s"',
    status: 403,
    closeCode: null
  },
  SCZ_ERR_HTTP_EPOCH: {
    message: 'Nothing is known of the epoch "%s": it is %s now, so ask without "since"',
    status: 410,
    closeCode: null
  },
  SCZ_ERR_HTTP_RATE: {
    message: 'You publish more than %d messages a second: try again in %d s',
    status: 429,
    closeCode: null
  },
  SCZ_ERR_BUS_MESSAGE_SIZE: {
    message: 'Cannot publish %d bytes in one message: it may have up to %d',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BUS_NAME: {
    message: 'Cannot publish with a %s of %d bytes: it may have up to %d',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BUS_OVERLOAD: {
    message: 'Cannot publish while %d messages wait for room: await what was published before',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BUS_CLOSED: {
    message: 'Cannot publish: the bus is closed',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BROKER_UNREACHABLE: {
    message: 'Cannot reach the broker %s: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BROKER_CREDENTIALS: {
    message: 'The broker %s refuses the credentials: check the user and the password in its address',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BROKER_VERSION: {
    message: 'The broker %s is version %s: use %s or later',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BROKER_REFUSED: {
    message: 'The broker did not do it: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BROKER_TIMEOUT: {
    message: 'The broker has not answered for %s s: the message is published later or not at all',
    status: null,
    closeCode: null
  },
  SCZ_ERR_BROKER_LOST: {
    message: 'The broker was lost before it answered: the message is published or not, nobody can tell',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_CHANNEL: {
    message:
      'Cannot use "%s" as a channel: a channel is a string of 1 to 1024 bytes in UTF-8, the first not zero',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_DATA: {
    message: 'Cannot publish the data: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_RULE: {
    message: 'Invalid rule for the channels "%s": %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_KEY: {
    message:
      'Cannot publish to the channel "%s": the key function of its rule gave %s, and not a string or null',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_MESSAGE_SIZE: {
    message: 'Cannot publish %d bytes in one message to the channel "%s": its rule allows %d',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_IDEMPOTENCY_KEY: {
    message: 'Invalid idempotency key "%s": use a string of 1 to 255 bytes in UTF-8',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_SINCE: {
    message: 'Invalid place in a channel: use { epoch, offset } with a string and a whole number',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_OFFSET: {
    message: 'The channel %s has no offset %d: its last is %d',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_LIMIT: {
    message: 'Invalid limit "%s": use a whole number from 1 to %d',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_PRESENCE: {
    message: 'Nobody knows who is in the channel "%s": it needs a rule with presence',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_HUB_PRESENCE_DATA: {
    message: 'Cannot show what presenceData gave: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_HUB_SLOW_BYTES: {
    message: 'The client reads too slowly: more than %d bytes of messages wait for it',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_HUB_SLOW_AGE: {
    message: 'The client reads too slowly: a message has waited for it for %d ms',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_PROTOCOL_MESSAGE: {
    message: 'Cannot read the message: %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_PROTOCOL_UNREADABLE: {
    message: 'The client sent %d messages that cannot be read',
    status: null,
    closeCode: 1008
  },
  SCZ_ERR_PROTOCOL_ACTION: {
    message: 'Unknown action: use one of %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_PROTOCOL_FIELD: {
    message: 'The field "%s" has to be %s',
    status: null,
    closeCode: null
  },
  SCZ_ERR_PROTOCOL_FORBIDDEN: {
    message: 'You may not %s the channel "%s"',
    status: null,
    closeCode: null
  },
  SCZ_ERR_PROTOCOL_CALLED_OFF: {
    message: 'The subscription to "%s" was called off before it began',
    status: null,
    closeCode: null
  },
  SCZ_ERR_PROTOCOL_WITHDRAWN: {
    message: 'The server has ended the subscription to "%s"',
    status: null,
    closeCode: null
  },
  SCZ_ERR_PROTOCOL_AUTHENTICATED: {
    message: 'The socket is past its first message: use the action "renew" for a new token',
    status: null,
    closeCode: null
  },
  SCZ_ERR_PROTOCOL_FAILED: {
    message: 'The server failed to answer the request: try again later',
    status: null,
    closeCode: null
  }
} as const

export type ErrorCode = keyof typeof catalogue

/** An error from the catalogue: `code` is stable, `message` is one sentence for a person. */
export class ScherzoError extends Error {
  readonly code: ErrorCode
  /** What fills in the message, so that the error can be made again in another thread. */
  readonly values: readonly (string | number)[]
  /** Read by Fastify when the error answers a request. */
  readonly statusCode: number | null
  /** What to close a WebSocket with that the error ends. */
  readonly closeCode: number | null

  constructor(code: ErrorCode, values: readonly (string | number)[] = [], options?: ErrorOptions) {
    super(format(catalogue[code].message, ...values), options)
    this.name = 'ScherzoError'
    this.code = code
    this.values = values
    this.statusCode = catalogue[code].status
    this.closeCode = catalogue[code].closeCode
  }
}

/** The first line of what was thrown, for use inside a one-sentence message. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  const [line = ''] = text.trim().split('\n')
  return line.replace(/[.:]$/, '')
}
