import { pino } from 'pino'
import type { DestinationStream, LogFn, Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Settings } from '../core/settings.ts'

/** The logger of the primary, or of the worker with this number; all write to the standard output themselves. */
export function createLog(settings: Pick<Settings, 'logFormat' | 'logLevel'>, worker: number | null): Logger {
  const base = worker === null ? {} : { worker }
  const hooks = {
    logMethod(this: Logger, values: Parameters<LogFn>, method: LogFn): void {
      if (values[0] !== LISTENING) method.apply(this, values)
    }
  }
  return pino({ level: settings.logLevel, base, hooks }, destinationFor(settings.logFormat))
}

/** What Fastify says when it listens; it can't be told not to, and the primary says it once for all workers. */
export const LISTENING = 'Listening'

/** Whether people read the log, rather than programs. */
export function isReadable(format: Settings['logFormat']): boolean {
  return format === 'readable' || (format === 'auto' && process.stdout.isTTY)
}

/** Synchronous: the last words of a thread that dies are the ones that matter. */
function destinationFor(format: Settings['logFormat']): DestinationStream {
  if (!isReadable(format)) return pino.destination({ dest: 1, sync: true })
  return pretty({
    destination: 1,
    sync: true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: '{if worker}[worker {worker}] {end}{msg}',
    ignore: 'worker'
  })
}
