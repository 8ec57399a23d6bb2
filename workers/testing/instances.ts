import type { TestContext } from 'node:test'
import { openBroker } from '../../core/bus/brokers/open.ts'
import type { Subscriber } from '../../core/broadcast/subscriber.ts'
import { DEFAULT_SLOW_POLICY } from '../../core/broadcast/subscriptions.ts'
import { FakeOutbox, unclosed } from '../../core/broadcast/testing/fake-outbox.ts'
import { PresenceView } from '../../core/broadcast/testing/presence-view.ts'
import { closeFirst } from '../../core/bus/testing/servers.ts'
import { HubCenter } from '../hub/hub-center.ts'
import { ThreadHub } from '../hub/thread-hub.ts'
import { createLog } from '../log.ts'

const log = createLog({ logFormat: 'json', logLevel: 'silent' }, null)
const settings = { adapterBufferMultiplierPerCpu: 64 }

export interface Instance {
  readonly center: HubCenter
  readonly hubs: readonly ThreadHub[]
  readonly notices: string[]
}

export interface InstanceOptions {
  readonly prefix?: string
  /** Seconds. */
  readonly timeout?: number
  readonly threads?: number
}

/** The hub of one instance of a server, with its threads all in this one. Ends with the test. */
export async function startInstance(
  t: TestContext,
  address: string,
  { prefix = 'scherzo', timeout = 5, threads = 2 }: InstanceOptions = {}
): Promise<Instance> {
  const broker = await openBroker(address, { prefix, timeout, idempotencyWindow: 300_000 })
  const notices: string[] = []
  const center = new HubCenter(
    () => {},
    { historyBytes: 1e8, idempotencyWindow: 300, idempotencyKeys: 1000 },
    broker
  )
  closeFirst(t, () => center.close())
  await center.open((_level, message) => notices.push(message))
  const hubs = Array.from({ length: threads }, () => new ThreadHub(center.connect(), settings, log))
  t.after(() => {
    for (const hub of hubs) hub.close()
  })
  for (const hub of hubs) await hub.serve()
  // The primary has heard by now that they serve.
  for (const hub of hubs) await hub.channels()
  return { center, hubs, notices }
}

export class TestMember {
  readonly member: Subscriber
  readonly outbox: FakeOutbox

  constructor(member: Subscriber, outbox: FakeOutbox) {
    this.member = member
    this.outbox = outbox
  }

  get told(): readonly Told[] {
    return this.outbox.messages as Told[]
  }

  /** Who is in the channels that it watches. */
  get presence(): ReadonlyMap<string, unknown> {
    const view = new PresenceView()
    for (const { presence } of this.told) if (presence !== undefined) view.take(presence)
    return view.members ?? new Map()
  }

  /** Those of whom it was told that they have left, one after the other. */
  get left(): string[] {
    return this.told.flatMap(({ presence }) => presence?.left ?? [])
  }

  get offsets(): number[] {
    return this.told.flatMap(({ offset }) => offset ?? [])
  }
}

/** What a client is sent. */
export interface Told {
  readonly channel?: string
  readonly offset?: number
  readonly data?: unknown
  readonly epoch?: string
  readonly subscribed?: { readonly epoch: string; readonly offset: number }
  readonly presence?: { readonly left?: readonly string[] }
  readonly lost?: { readonly from: number; readonly to: number }
}

/** A client, subscribed to the channels; resolves when their messages come. */
export async function join({ hub }: ThreadHub, ...channels: readonly string[]): Promise<TestMember> {
  const outbox = new FakeOutbox()
  const member = new TestMember(hub.join(outbox, DEFAULT_SLOW_POLICY, unclosed), outbox)
  await Promise.all(channels.map((channel) => member.member.subscribe(channel)))
  return member
}
