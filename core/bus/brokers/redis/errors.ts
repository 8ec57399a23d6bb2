import { ScherzoError, reasonOf } from '../../../errors.ts'
import { NotTaken, Uncertain } from '../waiting-line.ts'

/** What Redis says while it can't do now what it may do later. Nothing has been done then. */
const LATER = /^(NOSCRIPT|LOADING|BUSY|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MOVED|ASK)\b/
/** What the client says of commands that were under way when it lost the connection. */
const LOST =
  /^(SocketClosedUnexpectedly|DisconnectsClient|ClientClosed|SocketTimeout|AbortError|ConnectionTimeout)|^(ECONNRESET|EPIPE|ETIMEDOUT)/
const CREDENTIALS = /^(WRONGPASS|NOAUTH|NOPERM)\b|invalid password|invalid username-password/i

/** What became of a command. */
export function errorOf(error: unknown): { readonly error: Error; readonly isScriptMissing: boolean } {
  const reason = reasonOf(error)
  const isScriptMissing = reason.startsWith('NOSCRIPT')
  if (LATER.test(reason)) return { error: new NotTaken(reason), isScriptMissing }
  const { name = '', code = '' } = Object(error) as { readonly name?: string; readonly code?: string }
  const kind = (error as object).constructor?.name ?? ''
  if (
    LOST.test(name) ||
    LOST.test(kind) ||
    LOST.test(code) ||
    /socket closed|disconnect|client is closed/i.test(reason)
  )
    return { error: new Uncertain(reason), isScriptMissing }
  return { error: new ScherzoError('SCZ_ERR_BROKER_REFUSED', [plain(reason)]), isScriptMissing }
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
