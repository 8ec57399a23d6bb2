import type { MessagePort } from 'node:worker_threads'

/** What a thread needs to join. It goes through workerData or postMessage, with `port` in the list of what is transferred. */
export interface BusDescription {
  /** Of all channels; '' where a broker gives each channel its own. */
  readonly epoch: string
  readonly publisher: number
  readonly log: SharedArrayBuffer
  readonly inbox: SharedArrayBuffer
  readonly port: MessagePort
  readonly maxMessageBytes: number
  readonly maxRecordBytes: number
  readonly maxWaitingBytes: number
}
