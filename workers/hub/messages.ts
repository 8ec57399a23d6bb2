import type { MessagePort } from 'node:worker_threads'
import type { AttendanceReport } from '../../core/broadcast/attendance.ts'
import type { ChannelRule } from '../../core/broadcast/channel-rules.ts'
import type { ChannelTraffic } from '../../core/broadcast/channel-traffic.ts'
import type { HistoryQuery } from '../../core/broadcast/history.ts'
import type { PackedAnswer } from '../../core/broadcast/packed-answer.ts'
import type { BusDescription } from '../../core/bus/bus.ts'
import type { Control } from '../../routes/websocket/control.ts'

/** What makes a thread a part of the hub. Its ports have to be transferred, see `portsOf()`. */
export interface HubLink {
  readonly bus: BusDescription
  /** To the primary. */
  readonly port: MessagePort
  /** Whether a broker carries the messages: then only those of channels that the thread wants come to it. */
  readonly isRemote: boolean
}

export function portsOf({ bus, port }: HubLink): MessagePort[] {
  return [bus.port, port]
}

/** How many members each channel has. */
export type ChannelCounts = ReadonlyMap<string, number>

/** From a thread to the primary. */
export type LinkReport =
  /** It has members, and may be asked for their number. */
  | { readonly type: 'serves' }
  | { readonly type: 'counts'; readonly ask: number; readonly counts: ChannelCounts }
  /** The thread wants to know the counts of all. */
  | { readonly type: 'count all'; readonly ask: number }
  /** The channels with the most deliveries on the thread. */
  | { readonly type: 'traffic'; readonly channels: readonly ChannelTraffic[] }
  | { readonly type: 'rule'; readonly ask: number; readonly pattern: string; readonly rule: ChannelRule }
  | { readonly type: 'history'; readonly ask: number; readonly channel: string; readonly query: HistoryQuery }
  /** Who is in channels there. */
  | { readonly type: 'attendance'; readonly reports: readonly AttendanceReport[] }
  /** Somebody there wants to be told who is in the channel, or nobody any more. */
  | { readonly type: 'watch'; readonly channel: string; readonly isWatched: boolean }
  /** The thread wants the messages of these channels. */
  | { readonly type: 'want'; readonly ask: number; readonly channels: readonly string[] }
  /** It does not any more. */
  | { readonly type: 'unwant'; readonly channels: readonly string[] }
  /** How many sockets a control has reached on the thread. */
  | { readonly type: 'reached'; readonly ask: number; readonly count: number }
  /** For all threads that have sockets. */
  | { readonly type: 'control all'; readonly ask: number; readonly control: Control }
  /** A pool thread of this worker asks for a link; it comes through the port. */
  | { readonly type: 'link'; readonly port: MessagePort }

/** From the primary to a thread. */
export type LinkOrder =
  | { readonly type: 'count'; readonly ask: number }
  /** The rule holds from now on. */
  | { readonly type: 'rule set'; readonly ask: number }
  /** The messages of the channels come from now on. */
  | { readonly type: 'wanted'; readonly ask: number }
  | { readonly type: 'history'; readonly ask: number; readonly answer: PackedAnswer }
  /** It could not be read. */
  | { readonly type: 'no history'; readonly ask: number; readonly reason: string }
  | { readonly type: 'control'; readonly ask: number; readonly control: Control }
  | { readonly type: 'all reached'; readonly ask: number; readonly count: number }
  | { readonly type: 'all counts'; readonly ask: number; readonly counts: ChannelCounts }
