import type { Control } from '../../routes/websocket/control.ts'
import type { PresenceSignal } from './presence-signal.ts'

/** What instances send each other. */
export type Signal = ControlSignal | ReachedSignal | PresenceSignal

/** Something is to be done to the sockets of an identity. */
export interface ControlSignal {
  readonly type: 'control'
  readonly from: string
  readonly ask: number
  readonly control: WireControl
}

/** How many sockets that has reached. */
export interface ReachedSignal {
  readonly type: 'reached'
  readonly to: string
  readonly ask: number
  readonly count: number
}

/** JSON has no bytes. */
export type WireControl = Exclude<Control, { readonly action: 'send' }> | WireSend
interface WireSend {
  readonly action: 'send'
  readonly identity: string
  readonly data: string
  readonly isBinary: boolean
}

export function encodeSignal(signal: Signal): Uint8Array {
  return Buffer.from(JSON.stringify(signal))
}

/** Null for what somebody else has sent there. */
export function decodeSignal(bytes: Uint8Array): Signal | null {
  try {
    const signal = JSON.parse(Buffer.from(bytes).toString()) as Signal | null
    return TYPES.has(signal?.type) ? signal : null
  } catch {
    return null
  }
}

const TYPES: ReadonlySet<unknown> = new Set<Signal['type']>([
  'control',
  'reached',
  'presence',
  'presence renewal',
  'presence question',
  'presence state',
  'presence end'
])
