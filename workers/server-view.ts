import type { ChannelTraffic } from '../core/broadcast/channel-traffic.ts'
import type { BrokerFigures } from '../core/bus/broker.ts'
import type { Runtime } from '../core/settings.ts'
import type { Stats } from './metrics/stats.ts'

/** What the admin server shows: the state of the server as its primary knows it, looked up when somebody asks. */
export interface ServerView {
  readonly state: ServerState
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Such as `http://127.0.0.1:3000`. */
  readonly address: string
  readonly app: string
  readonly runtime: Runtime
  readonly cores: number
  readonly reloads: number
  /** How many messages the hub has had. */
  readonly published: number
  /** Null without one. */
  readonly broker: BrokerView | null
  /** Channels with the most deliveries, added up over the workers that are there. */
  readonly traffic: readonly ChannelTraffic[]
  /** Identities in channels with presence, once for each of them. */
  readonly present: number
  /** How many messages have told changes of presence. */
  readonly presenceTold: number
  /** Every worker thread that is there now, those that are starting or draining, too. */
  readonly threads: readonly WorkerView[]
  /** What workers that are gone have counted. */
  readonly retired: Stats
  /** How many connections each channel has, on all workers together: every worker is asked. */
  channels(): Promise<ReadonlyMap<string, number>>
  /** How many messages the channel has had. */
  offsetOf(channel: string): number
}

export interface BrokerView extends BrokerFigures {
  /** Its kind and address, without credentials. */
  readonly name: string
  /** Messages that this instance should have had and that were gone. */
  readonly lost: number
  /** Channels that are subscribed to. */
  readonly channels: number
}

export type ServerState = 'starting' | 'ready' | 'reloading' | 'draining'

export interface WorkerView {
  readonly number: number
  readonly threadId: number
  readonly state: 'starting' | 'ready' | 'stuck' | 'draining'
  readonly startedAt: number
  /** How often a worker of this number was replaced because it had died. */
  readonly restarts: number
  /** Why the last one died, or null. */
  readonly lastFailure: string | null
  /** How busy its loop was in the last second, from 0 to 1. */
  readonly utilisation: number
  readonly stats: Stats
}
