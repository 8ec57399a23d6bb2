import { describeFanOut, loadOf } from '../broadcast/fan-out-case.ts'
import { MESSAGE_BYTES } from '../broadcast/message.ts'
import type { Case } from '../harness/case.ts'
import type { FanOutLoad } from '../harness/fan-out.ts'
import { plaintextAnswer } from '../http/answers.ts'
import * as columns from './columns.ts'
import { measureSite } from './measure.ts'
import type { CaseKind, InstancesOptions } from './options.ts'
import type { Site } from './sites.ts'

const RATE = 100
export const RATE_SUBSCRIBERS: readonly number[] = [10, 500]

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

function siteCase(
  sites: readonly Site[],
  load: FanOutLoad
): Pick<Case, 'load' | 'answers' | 'servers' | 'measure'> {
  const byName = new Map(sites.map((site) => [site.name, site]))
  return {
    load: `${describeFanOut(load)} to the other instance`,
    answers: [plaintextAnswer],
    servers: sites,
    measure: (server) => measureSite(byName.get(server.name)!, server, load)
  }
}
