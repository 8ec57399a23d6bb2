export type BrokerKind = 'redis' | 'redis+cluster' | 'redis+sentinel' | 'nats'

/** Where a broker is, and how to be let in. */
export interface BrokerAddress {
  readonly kind: BrokerKind
  readonly isTls: boolean
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly username: string | null
  readonly password: string | null
  /** Redis: the number of the database. */
  readonly database: number
  /** Sentinel: what the master is called. */
  readonly master: string | null
}

/**
 * Reads the address of a broker; null where it makes no sense:
 *
 *     redis://[[user]:password@]host[:6379][/database]            rediss:// with TLS
 *     redis+cluster://[[user]:password@]host[:6379],...           rediss+cluster://
 *     redis+sentinel://[[user]:password@]host[:26379],.../master  rediss+sentinel://
 *     nats://[user:password@|token@]host[:4222],...               nats+tls://
 */
export function parseBrokerAddress(text: string): BrokerAddress | null {
  const [, scheme = '', credentials, hosts = '', path = ''] =
    /^([a-z+]+):\/\/(?:(.*)@)?([^/@]+)(?:\/(.*))?$/.exec(text) ?? []
  const form = FORMS.get(scheme)
  if (form === undefined) return null
  const nodes = hosts.split(',').map((host) => nodeOf(host, form.port))
  if (nodes.includes(null) || (nodes.length > 1 && form.kind === 'redis')) return null
  const login = loginOf(credentials, form.kind)
  if (login === null) return null
  const isSentinel = form.kind === 'redis+sentinel'
  if (
    isSentinel
      ? !/^[\w.-]+$/.test(path)
      : path !== '' && (form.kind !== 'redis' || !/^[0-9]{1,4}$/.test(path))
  )
    return null
  return {
    kind: form.kind,
    isTls: form.isTls,
    nodes: nodes.filter((node) => node !== null),
    ...login,
    database: isSentinel ? 0 : Number(path),
    master: isSentinel ? path : null
  }
}

/** For messages: nobody is to read passwords there, not even in an address that is wrong. */
export function withoutCredentials(text: string): string {
  return text.includes('@') ? text.replace(/^([a-z+]*:\/\/)?.*@/is, '$1***@') : text
}

/** For messages. */
export function nameOf({ kind, isTls, nodes }: BrokerAddress): string {
  const [scheme] = [...FORMS].find(([, form]) => form.kind === kind && form.isTls === isTls)!
  return `${scheme}://${nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')}`
}

interface Form {
  readonly kind: BrokerKind
  readonly isTls: boolean
  readonly port: number
}

const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['redis', { kind: 'redis', isTls: false, port: 6379 }],
  ['rediss', { kind: 'redis', isTls: true, port: 6379 }],
  ['redis+cluster', { kind: 'redis+cluster', isTls: false, port: 6379 }],
  ['rediss+cluster', { kind: 'redis+cluster', isTls: true, port: 6379 }],
  ['redis+sentinel', { kind: 'redis+sentinel', isTls: false, port: 26_379 }],
  ['rediss+sentinel', { kind: 'redis+sentinel', isTls: true, port: 26_379 }],
  ['nats', { kind: 'nats', isTls: false, port: 4222 }],
  ['nats+tls', { kind: 'nats', isTls: true, port: 4222 }]
])

function nodeOf(text: string, defaultPort: number): { host: string; port: number } | null {
  const [, ipv6, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::([0-9]{1,5}))?$/.exec(text) ?? []
  const host = ipv6 ?? name
  const port = digits === undefined ? defaultPort : Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port }
}

function loginOf(
  credentials: string | undefined,
  kind: BrokerKind
): Pick<BrokerAddress, 'username' | 'password'> | null {
  if (credentials === undefined) return { username: null, password: null }
  const colon = credentials.indexOf(':')
  // A name alone is a token of NATS; of Redis it is a password without its colon.
  if (colon === -1 && kind !== 'nats') return null
  const [username, password] =
    colon === -1 ? ['', credentials] : [credentials.slice(0, colon), credentials.slice(colon + 1)]
  try {
    return {
      username: username === '' ? null : decodeURIComponent(username),
      password: decodeURIComponent(password)
    }
  } catch {
    return null
  }
}
