import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Settings } from '../core/settings.ts'

/** The logger of the primary, or of the worker with this number; all write to the standard output themselves. */
export function createLog(settings: Pick<Settings, 'logFormat' | 'logLevel'>, worker: number | null): Logger {
  const base = worker === null ? {} : { worker }
  return pino({ level: settings.logLevel, base }, destinationFor(settings.logFormat))
}

/** Whether people read the log, rather than programs. */
export function isReadable(format: Settings['logFormat']): boolean {
  return format === 'readable' || (format === 'auto' && process.stdout.isTTY)
}

/** Synchronous: the last words of a thread that dies are the ones that matter. */
function destinationFor(format: Settings['logFormat']): DestinationStream {
  if (!isReadable(format)) return pino.destination({ dest: 1, sync: true })
  return pretty({ destination: 1, sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' })
}
