import type { Case } from '../harness/case.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import { type FanOutLoad, measureFanOut } from '../harness/fan-out.ts'
import { collectable, measureIdleConnections } from '../harness/idle-connections.ts'
import { measurePacedRequests } from '../harness/paced.ts'
import { describe } from '../harness/processes.ts'
import { subscribersCommand } from '../harness/subscribers.ts'
import { plaintextAnswer } from '../http/answers.ts'
import { memoryColumns, memoryCompared } from '../http/columns.ts'
import { BUN, type Broadcaster, SCHERZO, scherzo, WS } from '../peers/broadcasters.ts'
import * as columns from './columns.ts'
import { AT_A_TIME, fanOutCase, loadOf } from './fan-out-case.ts'
import { featureCases } from './features.ts'
import { MESSAGE_BYTES } from './message.ts'
import type { BroadcastOptions, CaseKind } from './options.ts'
import { recoveryCase } from './recovery.ts'

export const RATE_SUBSCRIBERS: readonly number[] = [10, 100, 500]
const RATE = 100

const CHANNELS = [1, 2, 5, 10, 20, 40]
const CHANNELS_AT_A_TIME = 2500
// A round takes 0.2 to 0.3 s (2 cores, 2026-11): each round is over before the next one.
const CHANNELS_RATE = 2

const HTTP_SUBSCRIBERS = 10_000
const HTTP_RATE = 20
const REQUESTS_PER_SECOND = 200

/** Twice, one after the other. */
export const IDLE_SUBSCRIBERS = 8000
const SETTLE_SECONDS = 3

export const heldMemoryCase: string = `Memory without garbage, ${IDLE_SUBSCRIBERS} idle subscribers`

export function channelsCase(subscribers: number): string {
  return `Channels, ${subscribers} subscribers, two workers, one message on each channel ${CHANNELS_RATE} times a second`
}

export function throughputCase(subscribers: number): string {
  return `Throughput, ${subscribers} subscribers, ${MESSAGE_BYTES}-byte messages`
}

export function rateCase(subscribers: number): string {
  return `${RATE} messages a second to ${subscribers} subscribers`
}

export function channelsName(channels: number): string {
  return channels === 1 ? '1 channel' : `${channels} channels`
}

export function casesFor(options: BroadcastOptions, servers: readonly Broadcaster[]): Case[] {
  return options.only.flatMap((kind) => builders[kind](options, servers))
}

const builders: Record<CaseKind, (options: BroadcastOptions, servers: readonly Broadcaster[]) => Case[]> = {
  throughput: (options, servers) =>
    options.subscribers.map((subscribers) => ({
      ...fanOutCase(servers, { ...loadOf(options), subscribers }),
      name: throughputCase(subscribers),
      point: {
        curve: `Broadcast of ${MESSAGE_BYTES}-byte messages, deliveries/s`,
        x: subscribers,
        xTitle: 'subscribers'
      },
      columns: columns.throughputColumns,
      compared: columns.throughputCompared
    })),

  rate: (options, servers) =>
    RATE_SUBSCRIBERS.map((subscribers) => fixedRateCase(options, servers, subscribers)),

  channels: (options, servers) => {
    const load: FanOutLoad = {
      ...loadOf(options),
      subscribers: options.channelSubscribers,
      atATime: CHANNELS_AT_A_TIME,
      rate: CHANNELS_RATE,
      observation: 'completion'
    }
    const byName = new Map(CHANNELS.map((channels) => [channelsName(channels), channels]))
    return onlyScherzo(servers, {
      ...fanOutCase(
        CHANNELS.map((channels) => scherzo(channelsName(channels), 2)),
        load
      ),
      name: channelsCase(options.channelSubscribers),
      columns: columns.channelColumns,
      compared: columns.channelCompared,
      measure: (server) => measureFanOut(server, { ...load, channels: byName.get(server.name) ?? 0 })
    })
  },

  http: (options, servers) => {
    const load: FanOutLoad = {
      ...loadOf(options),
      subscribers: HTTP_SUBSCRIBERS,
      rate: HTTP_RATE,
      observation: 'latency'
    }
    const { path, body } = plaintextAnswer
    const requests = { path, body, perSecond: REQUESTS_PER_SECOND, seconds: options.seconds }
    return onlyScherzo(servers, {
      ...fanOutCase(
        [scherzo('in chunks'), scherzo('at once', 1, '--adapter-buffer-multiplier-per-cpu', '1000000')],
        load
      ),
      name: `GET ${path} beside ${HTTP_RATE} messages a second to ${HTTP_SUBSCRIBERS} subscribers`,
      columns: columns.httpColumns,
      compared: columns.httpCompared,
      measure: (server) =>
        measureFanOut(server, load, (subscribers) => measurePacedRequests(server, subscribers, requests))
    })
  },

  memory: (_options, servers) => {
    const audience = { protocol: 'websocket', channels: 1, atATime: AT_A_TIME, observation: 'none' } as const
    const load = {
      client: (port: number | string, subscribers: number) =>
        subscribersCommand({ ...audience, subscribers }, port),
      connections: IDLE_SUBSCRIBERS,
      settleSeconds: SETTLE_SECONDS
    }
    const each = {
      load: `taskset -c ${LOAD_CORE} ${describe(load.client('PORT', IDLE_SUBSCRIBERS))}`,
      answers: [plaintextAnswer],
      columns: memoryColumns,
      compared: memoryCompared
    }
    const named = (...names: string[]): Broadcaster[] => servers.filter(({ name }) => names.includes(name))
    return [
      {
        ...each,
        name: `Memory, ${IDLE_SUBSCRIBERS} idle subscribers`,
        servers: named(SCHERZO, BUN, WS),
        measure: (server) => measureIdleConnections(server, { ...load, isCollected: false })
      },
      {
        ...each,
        name: heldMemoryCase,
        servers: named(SCHERZO, WS).map(collectable),
        measure: (server) => measureIdleConnections(server, { ...load, isCollected: true })
      }
    ]
  },

  recovery: (_options, servers) => onlyScherzo(servers, recoveryCase()),

  features: (options, servers) => featureCases(options).flatMap((each) => onlyScherzo(servers, each))
}

function fixedRateCase(
  options: BroadcastOptions,
  servers: readonly Broadcaster[],
  subscribers: number
): Case {
  return {
    ...fanOutCase(servers, { ...loadOf(options), subscribers, rate: RATE, observation: 'latency' }),
    name: rateCase(subscribers),
    columns: columns.rateColumns,
    compared: columns.rateCompared
  }
}

/** Cases that compare Scherzo with itself. */
function onlyScherzo(servers: readonly Broadcaster[], benchCase: Case): Case[] {
  return servers.some(({ name }) => name === SCHERZO) ? [benchCase] : []
}
