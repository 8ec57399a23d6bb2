import type { ErrorCode } from '../core/errors.ts'
import type { RouteRow } from '../routes/mount.ts'

/** What a worker is started with. */
export interface WorkerTask {
  readonly app: string
  readonly fastLane: boolean
  /** Null: only load the app and report its routes. */
  readonly listen: ListenTask | null
}

export interface ListenTask {
  readonly host: string
  readonly port: number
  readonly reusePort: boolean
}

/** From a worker to the primary. */
export type WorkerReport =
  | { readonly type: 'ready'; readonly routes: readonly RouteRow[] }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly values: readonly (string | number)[] }

/** From the primary to a worker. */
export type WorkerOrder = { readonly type: 'close' }
