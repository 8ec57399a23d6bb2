import type { Runtime, Settings } from '../core/settings.ts'

/** Options of `serve()`; what is left out comes from the environment or the defaults. Times are in seconds. */
export interface ServeOptions {
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string
  /** Port to listen on; 0 is any free one. @default 3000 */
  readonly port?: number
  /** Worker threads. @default one for each core */
  readonly workers?: number
  /** Where handlers run; docs/RUNTIME.md tells which to take. @default 'current_thread' */
  readonly runtime?: Runtime
  /** multithread: threads in the pool of each worker. @default two for each core, shared out among the workers */
  readonly poolThreads?: number
  /** multithread: requests that may wait for the pool of a worker; more are answered with 503. @default 1024 */
  readonly poolQueue?: number
  /** Subscribers per core that a fan-out serves before requests and other channels have their turn. @default 64 */
  readonly adapterBufferMultiplierPerCpu?: number
  /** Whether fast routes are answered before Fastify. Off changes no answer, only the speed. @default true */
  readonly fastLane?: boolean
  /** Host and port of the admin server, such as `127.0.0.1:9000`, or `off`. @default 'off' */
  readonly admin?: string | false
  /** Path of the certificate chain in PEM. With `tlsKey`, the port speaks HTTPS and HTTP/2. @default none */
  readonly tlsCert?: string
  /** Path of its private key in PEM. Both files are read again on a reload. @default none */
  readonly tlsKey?: string
  /** Whether TLS offers HTTP/2 beside HTTP/1.1; without it, clients get HTTP/1.1 alone. @default true */
  readonly http2?: boolean
  /** Reload when a file of the app changes; for development. @default false */
  readonly watch?: boolean
  /** How long open requests may take to finish when a worker is stopped, before they are cut. @default 10 */
  readonly drainTimeout?: number
  /** After how long a worker whose loop is blocked is reported as stuck; 0 is never. @default 30 */
  readonly stuckAfter?: number
  /** Whether a stuck worker is ended, with the requests it has, and replaced. @default false */
  readonly replaceStuck?: boolean
  /** Open connections per worker; more are closed at once. @default 32768 */
  readonly maxConnections?: number
  /** Requests per connection; 0 is no limit. @default 0, or `maxRequestsPerSocket` of the app's options */
  readonly maxRequests?: number
  /** Longest request body in bytes, unless a route says otherwise. @default 1048576, or `bodyLimit` of the app's options */
  readonly bodyLimit?: number
  /** How long the head of a request may take to arrive; 0 is no limit. @default 15, or the app's `http.headersTimeout` */
  readonly headersTimeout?: number
  /** How long a whole request may take to arrive; 0 is no limit. @default 60, or `requestTimeout` of the app's options */
  readonly requestTimeout?: number
  /** How long a connection may idle; 0 is no limit. @default 72, or `keepAliveTimeout` of the app's options */
  readonly keepAliveTimeout?: number
  /** How long a client may go without reading anything of its response; 0 is no limit. @default 30 */
  readonly sendTimeout?: number
  /** WebSockets: longest message of a client in bytes, unless a route says otherwise. @default 1048576 */
  readonly maxMessageBytes?: number
  /** WebSockets: most frames in one message of a client, unless a route says otherwise. @default 16384 */
  readonly maxFragments?: number
  /** WebSockets: open ones per worker; further handshakes get 503. @default 30000 */
  readonly maxSockets?: number
  /** WebSockets: open ones of one identity per worker; further ones get 429; 0 is no limit. @default 0 */
  readonly maxSocketsPerIdentity?: number
  /** WebSockets: open ones of one client address per worker; further handshakes get 429; 0 is no limit. @default 0 */
  readonly maxSocketsPerAddress?: number
  /** WebSockets: messages of one socket, unless the route says otherwise; with scherzo.v1 more get an error, without it they wait; 0 is no limit. @default 100 with scherzo.v1, otherwise 0 */
  readonly messagesPerSecond?: number
  /** WebSockets: how many of them may come at once. @default 200 */
  readonly messageBurst?: number
  /** WebSockets, scherzo.v1: requests of one socket to subscribe, which count for themselves; more get an error; 0 is no limit. @default 100 */
  readonly subscriptionsPerSecond?: number
  /** WebSockets, scherzo.v1: how many of them may come at once, as when a client comes back. @default 1000 */
  readonly subscriptionBurst?: number
  /** WebSockets, scherzo.v1: channels of one socket; further ones get an error; 0 is no limit. @default 1000 */
  readonly maxChannels?: number
  /** WebSockets, scherzo.v1: longest name of a channel that a client gives; longer ones get an error. @default 255 */
  readonly maxChannelNameBytes?: number
  /** WebSockets: how often clients are pinged; one silent for two such times is cut; 0 is never. @default 30 */
  readonly pingInterval?: number
  /** WebSockets: how long a client may take to answer a close frame. @default 5 */
  readonly closeTimeout?: number
  /** WebSockets: messages from this length in bytes on are compressed where the client can inflate. @default 1000 */
  readonly compressionThreshold?: number
  /** WebSockets: how hard to compress, from 1 to 9; 0 is not at all. @default 6 */
  readonly compressionLevel?: number
  /** WebSockets: most messages in a batch, where a route or its client asks for batches. @default 500 */
  readonly websocketBatchSize?: number
  /** WebSockets: how long a batch waits for more messages; adaptive ones only while the worker is busy. @default 0.02 */
  readonly websocketBatchTimeout?: number
  /** Channels: bytes of their past that all of them together may keep. @default 67108864 */
  readonly historyBytes?: number
  /** Channels: for how long an idempotency key is remembered; 0 is not at all. @default 300 */
  readonly idempotencyWindow?: number
  /** Channels: how many idempotency keys are remembered at most, of all channels together; beyond it the oldest are forgotten. @default 100000 */
  readonly idempotencyKeys?: number
  /** Channels: `memory`, or the address of the broker that carries them between instances; see docs/SCALING.md. @default 'memory' */
  readonly broker?: string
  /** Channels: what the names of keys and subjects at the broker begin with. @default 'scherzo' */
  readonly brokerPrefix?: string
  /** Channels: how long a message may wait for the broker before `publish()` fails. @default 5 */
  readonly brokerTimeout?: number
  /** `auto` is readable on a terminal and JSON elsewhere. @default 'auto' */
  readonly logFormat?: Settings['logFormat']
  /** Lines of this level and above are logged. @default 'info' */
  readonly logLevel?: Settings['logLevel']
}
