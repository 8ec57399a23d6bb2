import type { ErrorCode } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'
import type { RouteRow } from '../routes/mount.ts'
import type { Reconnect } from '../routes/protocol/notices.ts'
import type { HubLink } from './hub/messages.ts'

/** What a worker is started with. */
export interface WorkerTask {
  /** From 1; a replacement has the number of the worker before it. */
  readonly number: number
  readonly app: string
  readonly settings: Settings
  /** Null: only load the app and report its routes. */
  readonly listen: ListenTask | null
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null
  /** Threads of its pool; 0 where handlers run on the worker's own loop. */
  readonly poolThreads: number
  /** The memory of its {@link Stats}. */
  readonly stats: SharedArrayBuffer
  readonly hub: HubLink
}

export interface ListenTask {
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
}

/** What all workers speak TLS with. */
export interface TlsMaterial {
  /** PEM. */
  readonly cert: string
  /** PEM. */
  readonly key: string
  /** 48 bytes, the same for all workers, so that a session can be resumed on any of them. */
  readonly ticketKeys: Uint8Array
}

/** From a worker to the primary. */
export type WorkerReport =
  | { readonly type: 'ready'; readonly routes: readonly RouteRow[]; readonly files: readonly string[] }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly values: readonly (string | number)[] }
  /** It no longer listens, and finishes what it has. */
  | { readonly type: 'draining' }

/** From the primary to a worker. */
export type WorkerOrder = { readonly type: 'close'; readonly reconnect: Reconnect }
