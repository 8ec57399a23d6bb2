import { ScherzoError, reasonOf } from '../../../errors.ts'
import { NotTaken, Uncertain } from '../waiting-line.ts'

/** What Redis says while it can't do now what it may do later. Nothing has been done then. */
const LATER = /^(LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MOVED|ASK)\b/
/** What the client says of commands that it has not sent. */
const NOT_SENT = /^(The client is closed|The client is offline)/
/** What the client says of commands that were under way when it lost the connection. */
const LOST =
  /^(SocketClosedUnexpectedly|DisconnectsClient|SocketTimeout|AbortError|ConnectionTimeout)|^(ECONNRESET|EPIPE|ETIMEDOUT)/
const CREDENTIALS = /^(WRONGPASS|NOAUTH|NOPERM)\b|invalid password|invalid username-password/i

/** What became of a command. */
export function errorOf(error: unknown): { readonly error: Error; readonly isFunctionMissing: boolean } {
  const reason = reasonOf(error)
  if (error instanceof NotTaken) return { error, isFunctionMissing: false }
  const isFunctionMissing = /^(ERR )?Function not found/.test(reason)
  if (isFunctionMissing || LATER.test(reason) || NOT_SENT.test(reason))
    return { error: new NotTaken(reason), isFunctionMissing }
  const { name = '', code = '' } = Object(error) as { readonly name?: string; readonly code?: string }
  const kind = (error as object).constructor?.name ?? ''
  if (LOST.test(name) || LOST.test(kind) || LOST.test(code) || /socket closed|disconnect/i.test(reason))
    return { error: new Uncertain(reason), isFunctionMissing }
  return { error: new ScherzoError('SCZ_ERR_BROKER_REFUSED', [plain(reason)]), isFunctionMissing }
}

/** Why the server can't start. */
export function startErrorOf(error: unknown, name: string): Error {
  if (error instanceof ScherzoError) return error
  const reason = causeOf(error)
  if (CREDENTIALS.test(reason))
    return new ScherzoError('SCZ_ERR_BROKER_CREDENTIALS', [name], { cause: error })
  return new ScherzoError('SCZ_ERR_BROKER_UNREACHABLE', [name, reason], { cause: error })
}

/** Of several addresses of a name, each fails for itself. */
function causeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  return reasonOf(first)
}

/** Without where in a script it was. */
function plain(reason: string): string {
  return reason.replace(/^ERR /, '').replace(/ script: .*$/, '')
}
