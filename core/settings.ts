import { ScherzoError } from './errors.ts'
import { withoutCredentials } from './bus/brokers/address.ts'
import {
  addressOrOff,
  brokerAddress,
  brokerPrefix,
  filePath,
  isHost,
  oneOf,
  onOrOff,
  seconds,
  wholeNumber
} from './setting-readers.ts'
import type { HostAndPort } from './setting-readers.ts'

/** Where handlers run: on the loop of the worker that has the connection, or in a pool of threads beside it. */
export type Runtime = 'current_thread' | 'multithread'

/** The settings with every choice made. Times are in seconds. */
export interface Settings {
  readonly host: string
  readonly port: number
  /** Null: one for each core. */
  readonly workers: number | null
  readonly runtime: Runtime
  /** Threads in the pool of each worker. Null: two for each core, shared out among the workers. */
  readonly poolThreads: number | null
  readonly poolQueue: number
  readonly fastLane: boolean
  readonly adapterBufferMultiplierPerCpu: number
  /** Null: no admin server. */
  readonly admin: HostAndPort | null
  readonly tlsCert: string | null
  readonly tlsKey: string | null
  readonly http2: boolean
  readonly watch: boolean
  readonly drainTimeout: number
  /** 0: a worker is never taken for stuck. */
  readonly stuckAfter: number
  readonly replaceStuck: boolean
  readonly maxConnections: number
  /** Null, here and below: what the app's `options` say, and otherwise what the row says. */
  readonly maxRequests: number | null
  readonly bodyLimit: number | null
  readonly headersTimeout: number | null
  readonly requestTimeout: number | null
  readonly keepAliveTimeout: number | null
  readonly sendTimeout: number
  readonly maxMessageBytes: number
  readonly maxFragments: number
  readonly maxSockets: number
  /** 0, here and below: as many as there is room for. */
  readonly maxSocketsPerIdentity: number
  readonly maxSocketsPerAddress: number
  /** Null: it depends on the protocol of the route. 0, here and below: no limit. */
  readonly messagesPerSecond: number | null
  readonly messageBurst: number
  readonly subscriptionsPerSecond: number
  readonly subscriptionBurst: number
  readonly maxChannels: number
  readonly maxChannelNameBytes: number
  /** 0: clients are never pinged. */
  readonly pingInterval: number
  readonly closeTimeout: number
  readonly compressionThreshold: number
  /** 0: nothing is compressed. */
  readonly compressionLevel: number
  readonly websocketBatchSize: number
  readonly websocketBatchTimeout: number
  readonly historyBytes: number
  readonly idempotencyWindow: number
  readonly idempotencyKeys: number
  /** `memory`, or the address of a broker, with its password. */
  readonly broker: string
  readonly brokerPrefix: string
  readonly brokerTimeout: number
  readonly logFormat: 'auto' | 'readable' | 'json'
  readonly logLevel: LogLevel
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

interface Row<Value> {
  /** The command line's flag, without the dashes. */
  readonly flag: string
  /** What stands for the value in the help; null for a flag that takes none. */
  readonly placeholder: string | null
  /** Environment variables, the one that wins first. */
  readonly environment: readonly string[]
  readonly default: Value
  /** The default as people read it. */
  readonly shownDefault: string
  /** What the command line takes instead of the default. */
  readonly commandDefault?: Value
  readonly meaning: string
  /** What a value has to be, for a person who gave another. */
  readonly expected: string
  /** Reads a flag, an environment variable or an option; undefined where it makes no sense. */
  readonly read: (value: unknown) => Value | undefined
}

const A_DAY = 86_400

/** Every setting of Scherzo by the name of its option. */
export const settingRows: { readonly [Name in keyof Settings]: Row<Settings[Name]> } = {
  host: {
    flag: 'host',
    placeholder: 'ADDRESS',
    environment: ['SCHERZO_HOST', 'HOST'],
    default: '127.0.0.1',
    shownDefault: '127.0.0.1',
    meaning: 'address to listen on; 0.0.0.0 is every IPv4 address of the machine',
    expected: 'an IP address or a host name',
    read: (value) => (isHost(value) ? value : undefined)
  },
  port: {
    flag: 'port',
    placeholder: 'N',
    environment: ['SCHERZO_PORT', 'PORT'],
    default: 3000,
    shownDefault: '3000',
    meaning: 'port to listen on; 0 is any free one',
    expected: 'a whole number from 0 to 65535',
    read: (value) => wholeNumber(value, 0, 65_535)
  },
  workers: {
    flag: 'workers',
    placeholder: 'N',
    environment: ['SCHERZO_WORKERS'],
    default: null,
    shownDefault: 'one per core',
    meaning: 'worker threads, each with its own event loop and copy of the app',
    expected: 'a whole number from 1 to 1024',
    read: (value) => wholeNumber(value, 1, 1024)
  },
  runtime: {
    flag: 'runtime',
    placeholder: 'MODE',
    environment: ['SCHERZO_RUNTIME', 'CHOPIN_RUNTIME'],
    default: 'current_thread',
    shownDefault: 'current_thread',
    meaning:
      "where handlers run: current_thread is the worker's own loop, multithread a pool of threads beside it",
    expected: '"current_thread" or "multithread"',
    read: (value) => oneOf(value, ['current_thread', 'multithread'])
  },
  poolThreads: {
    flag: 'pool-threads',
    placeholder: 'N',
    environment: ['SCHERZO_POOL_THREADS'],
    default: null,
    shownDefault: '2 x cores / workers',
    meaning: 'multithread: threads in the pool of each worker',
    expected: 'a whole number from 1 to 256',
    read: (value) => wholeNumber(value, 1, 256)
  },
  poolQueue: {
    flag: 'pool-queue',
    placeholder: 'N',
    environment: ['SCHERZO_POOL_QUEUE'],
    default: 1024,
    shownDefault: '1024',
    meaning: 'multithread: requests that may wait for the pool of a worker; more are answered with 503',
    expected: 'a whole number from 0 to 1000000',
    read: (value) => wholeNumber(value, 0, 1_000_000)
  },
  fastLane: {
    flag: 'fast-lane',
    placeholder: 'on|off',
    environment: ['SCHERZO_FAST_LANE'],
    default: true,
    shownDefault: 'on',
    meaning: 'whether fast routes are answered before Fastify; off changes no answer, only the speed',
    expected: '"on" or "off"',
    read: onOrOff
  },
  adapterBufferMultiplierPerCpu: {
    flag: 'adapter-buffer-multiplier-per-cpu',
    placeholder: 'N',
    environment: ['SCHERZO_ADAPTER_BUFFER_MULTIPLIER_PER_CPU', 'ADAPTER_BUFFER_MULTIPLIER_PER_CPU'],
    default: 64,
    shownDefault: '64',
    meaning: 'subscribers per core that a fan-out serves before requests and other channels have their turn',
    expected: 'a whole number from 1 to 1000000',
    read: (value) => wholeNumber(value, 1, 1_000_000)
  },
  admin: {
    flag: 'admin',
    placeholder: 'ADDRESS',
    environment: ['SCHERZO_ADMIN'],
    default: null,
    shownDefault: '127.0.0.1:9000; off for serve()',
    commandDefault: { host: '127.0.0.1', port: 9000 },
    meaning: 'host and port of the admin server: the dashboard, /livez, /readyz, /metrics, /status; or off',
    expected: 'a host and a port, such as 127.0.0.1:9000, or "off"',
    read: addressOrOff
  },
  tlsCert: {
    flag: 'tls-cert',
    placeholder: 'FILE',
    environment: ['SCHERZO_TLS_CERT'],
    default: null,
    shownDefault: 'none',
    meaning: 'certificate chain in PEM; with tls-key, the port speaks HTTPS and HTTP/2',
    expected: 'the path of a PEM file',
    read: filePath
  },
  tlsKey: {
    flag: 'tls-key',
    placeholder: 'FILE',
    environment: ['SCHERZO_TLS_KEY'],
    default: null,
    shownDefault: 'none',
    meaning: 'private key of that certificate in PEM; both are read again on a reload',
    expected: 'the path of a PEM file',
    read: filePath
  },
  http2: {
    flag: 'http2',
    placeholder: 'on|off',
    environment: ['SCHERZO_HTTP2'],
    default: true,
    shownDefault: 'on',
    meaning: 'whether TLS offers HTTP/2 beside HTTP/1.1; off offers HTTP/1.1 alone',
    expected: '"on" or "off"',
    read: onOrOff
  },
  watch: {
    flag: 'watch',
    placeholder: null,
    environment: ['SCHERZO_WATCH'],
    default: false,
    shownDefault: 'off',
    meaning: 'reload when a file of the app changes; for development',
    expected: '"on" or "off"',
    read: onOrOff
  },
  drainTimeout: {
    flag: 'drain-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_DRAIN_TIMEOUT'],
    default: 10,
    shownDefault: '10',
    meaning: 'how long open requests may take to finish when a worker is stopped, before they are cut',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  stuckAfter: {
    flag: 'stuck-after',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_STUCK_AFTER'],
    default: 30,
    shownDefault: '30',
    meaning: 'after how long a worker whose loop is blocked is reported as stuck; 0 is never',
    expected: 'seconds from 1 to 86400, or 0',
    read: (value) => (Number(value) === 0 ? seconds(value, 0, 0) : seconds(value, 1, A_DAY))
  },
  replaceStuck: {
    flag: 'replace-stuck',
    placeholder: 'on|off',
    environment: ['SCHERZO_REPLACE_STUCK'],
    default: false,
    shownDefault: 'off',
    meaning: 'whether a stuck worker is ended, with the requests it has, and replaced',
    expected: '"on" or "off"',
    read: onOrOff
  },
  maxConnections: {
    flag: 'max-connections',
    placeholder: 'N',
    environment: ['SCHERZO_MAX_CONNECTIONS'],
    default: 32_768,
    shownDefault: '32768',
    meaning: 'open connections per worker; more are closed at once',
    expected: 'a whole number from 1 to 10000000',
    read: (value) => wholeNumber(value, 1, 10_000_000)
  },
  maxRequests: {
    flag: 'max-requests',
    placeholder: 'N',
    environment: ['SCHERZO_MAX_REQUESTS'],
    default: null,
    shownDefault: '0',
    meaning: 'requests per connection, the last of which is answered with Connection: close; 0 is no limit',
    expected: 'a whole number from 0 to 1000000000',
    read: (value) => wholeNumber(value, 0, 1_000_000_000)
  },
  bodyLimit: {
    flag: 'body-limit',
    placeholder: 'BYTES',
    environment: ['SCHERZO_BODY_LIMIT'],
    default: null,
    shownDefault: '1048576',
    meaning: "longest request body, unless a route's own bodyLimit says otherwise; longer ones get 413",
    expected: 'a whole number of bytes from 1 to 1099511627776',
    read: (value) => wholeNumber(value, 1, 2 ** 40)
  },
  headersTimeout: {
    flag: 'headers-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_HEADERS_TIMEOUT'],
    default: null,
    shownDefault: '15',
    meaning: 'how long the head of a request, or a TLS handshake, may take to arrive; 0 is no limit',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  requestTimeout: {
    flag: 'request-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_REQUEST_TIMEOUT'],
    default: null,
    shownDefault: '60',
    meaning: 'how long a whole request, body and all, may take to arrive; 0 is no limit',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  keepAliveTimeout: {
    flag: 'keep-alive-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_KEEP_ALIVE_TIMEOUT'],
    default: null,
    shownDefault: '72',
    meaning: 'how long a connection may idle between requests; 0 is no limit',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  sendTimeout: {
    flag: 'send-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_SEND_TIMEOUT'],
    default: 30,
    shownDefault: '30',
    meaning: 'how long a client may go without reading anything of its response; 0 is no limit',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  maxMessageBytes: {
    flag: 'max-message-bytes',
    placeholder: 'BYTES',
    environment: ['SCHERZO_MAX_MESSAGE_BYTES'],
    default: 1_048_576,
    shownDefault: '1048576',
    meaning: 'WebSockets: longest message of a client, unless the route says otherwise; longer ones get 1009',
    expected: 'a whole number of bytes from 1 to 1073741824',
    read: (value) => wholeNumber(value, 1, 2 ** 30)
  },
  maxFragments: {
    flag: 'max-fragments',
    placeholder: 'N',
    environment: ['SCHERZO_MAX_FRAGMENTS'],
    default: 16_384,
    shownDefault: '16384',
    meaning: 'WebSockets: most frames in one message, unless the route says otherwise; more get 1008',
    expected: 'a whole number from 1 to 1000000000',
    read: (value) => wholeNumber(value, 1, 1_000_000_000)
  },
  maxSockets: {
    flag: 'max-sockets',
    placeholder: 'N',
    environment: ['SCHERZO_MAX_SOCKETS'],
    default: 30_000,
    shownDefault: '30000',
    meaning: 'WebSockets: open ones per worker; further handshakes get 503',
    expected: 'a whole number from 1 to 10000000',
    read: (value) => wholeNumber(value, 1, 10_000_000)
  },
  maxSocketsPerIdentity: {
    flag: 'max-sockets-per-identity',
    placeholder: 'N',
    environment: ['SCHERZO_MAX_SOCKETS_PER_IDENTITY'],
    // Only the app knows how many windows and devices one of its users has.
    default: 0,
    shownDefault: '0',
    meaning: 'WebSockets: open ones of one identity per worker; further ones get 429; 0 is no limit',
    expected: 'a whole number from 0 to 10000000',
    read: (value) => wholeNumber(value, 0, 10_000_000)
  },
  maxSocketsPerAddress: {
    flag: 'max-sockets-per-address',
    placeholder: 'N',
    environment: ['SCHERZO_MAX_SOCKETS_PER_ADDRESS'],
    // Behind a proxy, or a company's gateway, all clients have one address.
    default: 0,
    shownDefault: '0',
    meaning:
      'WebSockets: open ones of one client address per worker; further handshakes get 429; 0 is no limit',
    expected: 'a whole number from 0 to 10000000',
    read: (value) => wholeNumber(value, 0, 10_000_000)
  },
  messagesPerSecond: {
    flag: 'messages-per-second',
    placeholder: 'N',
    environment: ['SCHERZO_MESSAGES_PER_SECOND'],
    // A request of the protocol is answered; what a message of any other route costs only the app knows.
    default: null,
    shownDefault: '100 with scherzo.v1, otherwise 0',
    meaning:
      'WebSockets: messages of one socket, unless the route says otherwise; with scherzo.v1 more get an error, without it they wait; 0 is no limit',
    expected: 'a whole number from 0 to 1000000',
    read: (value) => wholeNumber(value, 0, 1_000_000)
  },
  messageBurst: {
    flag: 'message-burst',
    placeholder: 'N',
    environment: ['SCHERZO_MESSAGE_BURST'],
    default: 200,
    shownDefault: '200',
    meaning: 'WebSockets: how many of them may come at once',
    expected: 'a whole number from 1 to 1000000',
    read: (value) => wholeNumber(value, 1, 1_000_000)
  },
  subscriptionsPerSecond: {
    flag: 'subscriptions-per-second',
    placeholder: 'N',
    environment: ['SCHERZO_SUBSCRIPTIONS_PER_SECOND'],
    default: 100,
    shownDefault: '100',
    meaning:
      'WebSockets, scherzo.v1: requests of one socket to subscribe, which count for themselves; more get an error; 0 is no limit',
    expected: 'a whole number from 0 to 1000000',
    read: (value) => wholeNumber(value, 0, 1_000_000)
  },
  subscriptionBurst: {
    flag: 'subscription-burst',
    placeholder: 'N',
    environment: ['SCHERZO_SUBSCRIPTION_BURST'],
    default: 1000,
    shownDefault: '1000',
    meaning: 'WebSockets, scherzo.v1: how many of them may come at once, as when a client comes back',
    expected: 'a whole number from 1 to 1000000',
    read: (value) => wholeNumber(value, 1, 1_000_000)
  },
  maxChannels: {
    flag: 'max-channels',
    placeholder: 'N',
    environment: ['SCHERZO_MAX_CHANNELS'],
    default: 1000,
    shownDefault: '1000',
    meaning: 'WebSockets, scherzo.v1: channels of one socket; further ones get an error; 0 is no limit',
    expected: 'a whole number from 0 to 1000000',
    read: (value) => wholeNumber(value, 0, 1_000_000)
  },
  maxChannelNameBytes: {
    flag: 'max-channel-name-bytes',
    placeholder: 'BYTES',
    environment: ['SCHERZO_MAX_CHANNEL_NAME_BYTES'],
    default: 255,
    shownDefault: '255',
    meaning:
      'WebSockets, scherzo.v1: longest name of a channel that a client gives; longer ones get an error',
    expected: 'a whole number of bytes from 1 to 1024',
    read: (value) => wholeNumber(value, 1, 1024)
  },
  pingInterval: {
    flag: 'ping-interval',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_PING_INTERVAL'],
    default: 30,
    shownDefault: '30',
    meaning: 'WebSockets: how often clients are pinged; one silent for two such times is cut; 0 is never',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  closeTimeout: {
    flag: 'close-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_CLOSE_TIMEOUT'],
    default: 5,
    shownDefault: '5',
    meaning: 'WebSockets: how long a client may take to answer a close frame, before its connection is cut',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  compressionThreshold: {
    flag: 'compression-threshold',
    placeholder: 'BYTES',
    environment: ['SCHERZO_COMPRESSION_THRESHOLD', 'COMPRESSION_THRESHOLD'],
    default: 1000,
    shownDefault: '1000',
    meaning: 'WebSockets: messages from this length on are compressed for clients that can inflate them',
    expected: 'a whole number of bytes from 0 to 1073741824',
    read: (value) => wholeNumber(value, 0, 2 ** 30)
  },
  compressionLevel: {
    flag: 'compression-level',
    placeholder: 'N',
    environment: ['SCHERZO_COMPRESSION_LEVEL', 'COMPRESSION_LEVEL'],
    default: 6,
    shownDefault: '6',
    meaning: 'WebSockets: how hard to compress, from 1, the fastest, to 9; 0 is not at all',
    expected: 'a whole number from 0 to 9',
    read: (value) => wholeNumber(value, 0, 9)
  },
  websocketBatchSize: {
    flag: 'websocket-batch-size',
    placeholder: 'N',
    environment: ['SCHERZO_WEBSOCKET_BATCH_SIZE', 'WEBSOCKET_BATCH_SIZE'],
    default: 500,
    shownDefault: '500',
    meaning: 'WebSockets: most messages in a batch, where a route or its client asks for batches',
    expected: 'a whole number from 1 to 10000',
    read: (value) => wholeNumber(value, 1, 10_000)
  },
  websocketBatchTimeout: {
    flag: 'websocket-batch-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_WEBSOCKET_BATCH_TIMEOUT', 'WEBSOCKET_BATCH_TIMEOUT'],
    default: 0.02,
    shownDefault: '0.02',
    meaning:
      'WebSockets: how long a batch waits for more messages at most; adaptive ones do so only while the worker is busy',
    expected: 'seconds from 0 to 10',
    read: (value) => seconds(value, 0, 10)
  },
  historyBytes: {
    flag: 'history-bytes',
    placeholder: 'BYTES',
    environment: ['SCHERZO_HISTORY_BYTES'],
    default: 67_108_864,
    shownDefault: '67108864',
    meaning:
      'channels: how much of their past all of them together may keep; beyond it, those with the most lose their oldest',
    expected: 'a whole number of bytes from 0 to 1099511627776',
    read: (value) => wholeNumber(value, 0, 2 ** 40)
  },
  idempotencyWindow: {
    flag: 'idempotency-window',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_IDEMPOTENCY_WINDOW'],
    default: 300,
    shownDefault: '300',
    meaning: 'channels: for how long an idempotency key is remembered; 0 is not at all',
    expected: 'seconds from 0 to 86400',
    read: (value) => seconds(value, 0, A_DAY)
  },
  idempotencyKeys: {
    flag: 'idempotency-keys',
    placeholder: 'N',
    environment: ['SCHERZO_IDEMPOTENCY_KEYS'],
    default: 100_000,
    shownDefault: '100000',
    meaning:
      'channels: how many idempotency keys are remembered at most, of all channels together; beyond it the oldest are forgotten',
    expected: 'a whole number from 1 to 10000000',
    read: (value) => wholeNumber(value, 1, 10_000_000)
  },
  broker: {
    flag: 'broker',
    placeholder: 'ADDRESS',
    environment: ['SCHERZO_BROKER'],
    default: 'memory',
    shownDefault: 'memory',
    meaning: 'channels: what carries them between instances; memory is this instance alone',
    expected:
      '"memory", redis://[user:password@]host:port, rediss://, redis+cluster://host:port,host:port, redis+sentinel://host:port/master or nats://host:port',
    read: brokerAddress
  },
  brokerPrefix: {
    flag: 'broker-prefix',
    placeholder: 'NAME',
    environment: ['SCHERZO_BROKER_PREFIX'],
    default: 'scherzo',
    shownDefault: 'scherzo',
    meaning:
      'channels: what the names of keys and subjects at the broker begin with; instances with the same one belong together',
    expected: '1 to 64 letters, digits, hyphens and underscores',
    read: brokerPrefix
  },
  brokerTimeout: {
    flag: 'broker-timeout',
    placeholder: 'SECONDS',
    environment: ['SCHERZO_BROKER_TIMEOUT'],
    default: 5,
    shownDefault: '5',
    meaning: 'channels: how long a message may wait for the broker before publish() fails',
    expected: 'seconds from 0.1 to 3600',
    read: (value) => seconds(value, 0.1, 3600)
  },
  logFormat: {
    flag: 'log-format',
    placeholder: 'FORMAT',
    environment: ['SCHERZO_LOG_FORMAT'],
    default: 'auto',
    shownDefault: 'auto',
    meaning: 'readable, json, or auto: readable on a terminal and JSON elsewhere',
    expected: '"auto", "readable" or "json"',
    read: (value) => oneOf(value, ['auto', 'readable', 'json'])
  },
  logLevel: {
    flag: 'log-level',
    placeholder: 'LEVEL',
    environment: ['SCHERZO_LOG_LEVEL'],
    default: 'info',
    shownDefault: 'info',
    meaning: 'lines of this level and above are logged: trace, debug, info, warn, error, fatal or silent',
    expected: `one of ${logLevels.join(', ')}`,
    read: (value) => oneOf(value, logLevels)
  }
}

/** Settings as they are given, by option name; undefined is the same as not given. */
export type GivenSettings = { readonly [Name in keyof Settings]?: unknown }

/** Who asks for the settings, and how that person writes their names, for the messages. */
export interface SettingsSource {
  /** `--port` or `port`. */
  readonly spell: (name: keyof Settings) => string
  /** Whether the defaults are those of the command line. */
  readonly isCommand: boolean
}

/**
 * Decides each setting: a flag or an option wins over the environment, the environment over the default.
 *
 * @throws SCZ_ERR_SETTING naming the setting and what it takes, SCZ_ERR_TLS_PAIR
 */
export function resolveSettings(
  given: GivenSettings,
  environment: Readonly<Record<string, string | undefined>>,
  { spell, isCommand }: SettingsSource
): Settings {
  const names = Object.keys(settingRows) as (keyof Settings)[]
  const settings = Object.fromEntries(names.map((name) => [name, resolve(name)])) as unknown as Settings
  if ((settings.tlsCert === null) !== (settings.tlsKey === null)) {
    const [present, absent] =
      settings.tlsKey === null ? (['tlsCert', 'tlsKey'] as const) : (['tlsKey', 'tlsCert'] as const)
    throw new ScherzoError('SCZ_ERR_TLS_PAIR', [spell(present), spell(absent)])
  }
  return settings

  function resolve<Name extends keyof Settings>(name: Name): Settings[Name] {
    const row = settingRows[name]
    if (given[name] !== undefined) return readOr(row, given[name], spell(name))
    for (const variable of row.environment) {
      const value = environment[variable]
      // An empty variable is how shells and compose files unset one.
      if (value !== undefined && value !== '') return readOr(row, value, variable)
    }
    return isCommand && row.commandDefault !== undefined ? row.commandDefault : row.default
  }
}

function readOr<Value>(row: Row<Value>, value: unknown, spelling: string): Value {
  const result = row.read(value)
  if (result === undefined)
    throw new ScherzoError('SCZ_ERR_SETTING', [withoutCredentials(String(value)), spelling, row.expected])
  return result
}
