import { format } from 'node:util'

/**
 * Every error that Scherzo itself raises: `message` is one sentence that says what is wrong and what to do, `status` the
 * HTTP status where the error answers a request. docs/ERRORS.md explains each code; a test holds the two together.
 */
export const catalogue = {
  SCZ_ERR_NODE_VERSION: {
    message: 'Scherzo needs Node.js %s or later, and this is %s',
    status: null
  },
  SCZ_ERR_COMMAND: {
    message: 'Unknown command "%s": use "serve" or "routes", or --help for the whole list',
    status: null
  },
  SCZ_ERR_ARGUMENTS: {
    message: 'Wrong arguments: %s; see --help',
    status: null
  },
  SCZ_ERR_SETTING: {
    message: 'Invalid value "%s" for %s: use %s',
    status: null
  },
  SCZ_ERR_OPTION_UNKNOWN: {
    message: 'Unknown option "%s": the options of serve() are %s',
    status: null
  },
  SCZ_ERR_APP_MISSING: {
    message: 'Cannot find the app %s: check the path',
    status: null
  },
  SCZ_ERR_APP_EXPORT: {
    message:
      'Cannot use %s as an app: its default export must be a Fastify plugin, "export default async function app (fastify) {}"',
    status: null
  },
  SCZ_ERR_APP_START: {
    message: 'Cannot start %s: %s',
    status: null
  },
  SCZ_ERR_WORKER_EXIT: {
    message: 'Worker %d ended with code %d %s: look for process.exit() or a fatal error in the app',
    status: null
  },
  SCZ_ERR_WORKER_ERROR: {
    message: 'Worker %d ended with an uncaught error: %s',
    status: null
  },
  SCZ_ERR_LISTEN: {
    message: 'Cannot listen on %s: %s',
    status: null
  },
  SCZ_ERR_FAST_PATH: {
    message:
      "Cannot make %s a fast route: a fast route needs an exact path of letters, digits and -._~!$&'()+,=@/; use fastify.route() for the rest",
    status: null
  },
  SCZ_ERR_FAST_OPTION: {
    message: 'Invalid option "%s" of the fast route %s: %s',
    status: null
  },
  SCZ_ERR_FAST_VALUE: {
    message: 'Cannot answer the fast route %s: %s',
    status: 500
  },
  SCZ_ERR_FAST_ASYNC: {
    message:
      'Cannot answer the fast route %s: its handler is asynchronous; make it synchronous, or use fastify.route()',
    status: 500
  },
  SCZ_ERR_HOST: {
    message: 'The request needs exactly one well-formed Host header',
    status: 400
  },
  SCZ_ERR_TARGET: {
    message: 'The request target "*" goes with OPTIONS only',
    status: 400
  },
  SCZ_ERR_TRANSFER_ENCODING: {
    message: 'The Transfer-Encoding header is empty',
    status: 400
  },
  SCZ_ERR_BUS_MESSAGE_SIZE: {
    message: 'Cannot publish %d bytes in one message: it may have up to %d',
    status: null
  },
  SCZ_ERR_BUS_NAME: {
    message: 'Cannot publish with a %s of %d bytes: it may have up to %d',
    status: null
  },
  SCZ_ERR_BUS_OVERLOAD: {
    message: 'Cannot publish while %d messages wait for room: await what was published before',
    status: null
  },
  SCZ_ERR_BUS_CLOSED: {
    message: 'Cannot publish: the bus is closed',
    status: null
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

  constructor(code: ErrorCode, values: readonly (string | number)[] = [], options?: ErrorOptions) {
    super(format(catalogue[code].message, ...values), options)
    this.name = 'ScherzoError'
    this.code = code
    this.values = values
    this.statusCode = catalogue[code].status
  }
}

/** The first line of what was thrown, for use inside a one-sentence message. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  const [line = ''] = text.trim().split('\n')
  return line.replace(/[.:]$/, '')
}
