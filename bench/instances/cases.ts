import { MESSAGE_BYTES } from '../broadcast/message.ts'
import { orderQuery, PUBLISH_PATH } from '../broadcast/publisher.ts'
import type { Case } from '../harness/case.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import type { FanOutLoad } from '../harness/fan-out.ts'
import { describe } from '../harness/processes.ts'
import { subscribersCommand } from '../harness/subscribers.ts'
import { plaintextAnswer } from '../http/answers.ts'
import * as columns from './columns.ts'
import { measureSite } from './measure.ts'
import type { CaseKind, InstancesOptions } from './options.ts'
import type { Site } from './sites.ts'

const RATE = 100
export const RATE_SUBSCRIBERS: readonly number[] = [10, 500]
/** As many handshakes as every server's listen queue holds. */
const AT_A_TIME = 128

export function throughputCase(subscribers: number): string {
  return `Throughput between instances, ${subscribers} subscribers, ${MESSAGE_BYTES}-byte messages`
}

export function casesFor(options: InstancesOptions, sites: readonly Site[]): Case[] {
  return options.only.flatMap((kind) => builders[kind](options, sites))
}

const builders: Record<CaseKind, (options: InstancesOptions, sites: readonly Site[]) => Case[]> = {
  throughput: (options, sites) =>
    options.subscribers.map((subscribers) => ({
      ...siteCase(sites, { ...loadOf(options), subscribers }),
      name: throughputCase(subscribers),
      point: {
        curve: `Broadcast of ${MESSAGE_BYTES}-byte messages between instances, deliveries/s`,
        x: subscribers,
        xTitle: 'subscribers'
      },
      columns: columns.throughputColumns,
      compared: columns.throughputCompared
    })),

  rate: (options, sites) => RATE_SUBSCRIBERS.map((subscribers) => rateCase(options, sites, subscribers))
}

function rateCase(options: InstancesOptions, sites: readonly Site[], subscribers: number): Case {
  return {
    ...siteCase(sites, { ...loadOf(options), subscribers, rate: RATE, observation: 'latency' }),
    name: `${RATE} messages a second between instances, to ${subscribers} subscribers`,
    columns: columns.rateColumns,
    compared: columns.rateCompared
  }
}

function loadOf({ warmUp, seconds, turn }: InstancesOptions): Omit<FanOutLoad, 'subscribers'> {
  return {
    protocol: 'websocket',
    channels: 1,
    atATime: AT_A_TIME,
    rate: null,
    turn,
    observation: 'none',
    warmUpSeconds: warmUp,
    seconds
  }
}

function siteCase(
  sites: readonly Site[],
  load: FanOutLoad
): Pick<Case, 'load' | 'answers' | 'servers' | 'measure'> {
  const byName = new Map(sites.map((site) => [site.name, site]))
  return {
    load: `taskset -c ${LOAD_CORE} ${describe(subscribersCommand(load, 'PORT'))}; POST ${PUBLISH_PATH}${orderQuery(load)} to the other instance`,
    answers: [plaintextAnswer],
    servers: sites,
    measure: (server) => measureSite(byName.get(server.name)!, server, load)
  }
}
