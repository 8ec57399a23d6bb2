import fc from 'fast-check'
import { CLIENT_POLICIES, KINDS } from './plan.ts'

/** Where a subscription is to begin. */
export type Start = 'now' | 'place' | 'first' | 'earlier' | 'other epoch' | 'too late'

export type Command =
  | { readonly do: 'connect'; readonly client: number; readonly comesBack: boolean }
  | { readonly do: 'subscribe'; readonly client: number; readonly kind: string; readonly start: Start }
  | { readonly do: 'unsubscribe' | 'withdraw'; readonly client: number; readonly kind: string }
  | { readonly do: 'history'; readonly client: number; readonly kind: string; readonly start: Start }
  | Publish
  /** Stops reading, and more is published to one of its channels than fits. */
  | { readonly do: 'stall'; readonly client: number; readonly which: number }
  | { readonly do: 'drop'; readonly client: number; readonly isClean: boolean }
  | { readonly do: 'stop reading' | 'go on reading'; readonly client: number }
  | { readonly do: 'kill'; readonly client: number; readonly how: 'throw' | 'exit' }
  | { readonly do: 'reload' | 'settle' }
  | { readonly do: 'wait'; readonly milliseconds: number }

/** One for a client that is connected. */
export type CommandOfClient = Exclude<
  Command,
  { readonly do: 'publish' | 'reload' | 'settle' | 'wait' | 'connect' }
>

export interface Publish {
  readonly do: 'publish'
  /** Null: the server does. */
  readonly client: number | null
  readonly kind: string
  readonly count: number
  readonly pad: number
  readonly isKeyed: boolean
  /** By the server only. */
  readonly isBytes: boolean
}

const client = fc.nat(CLIENT_POLICIES.length - 1)
const kind = fc.constantFrom(...KINDS)
const start = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Start>('now', 'place', 'first') },
  { weight: 1, arbitrary: fc.constantFrom<Start>('earlier', 'other epoch', 'too late') }
)

const publish = {
  do: fc.constant('publish'),
  client: fc.option(client),
  kind,
  count: fc.integer({ min: 1, max: 40 }),
  pad: fc.constantFrom(0, 20, 2000),
  isKeyed: fc.boolean(),
  isBytes: fc.boolean()
}

const command: fc.Arbitrary<Command> = fc.oneof(
  weighed(8, { do: fc.constant('connect'), client, comesBack: fc.boolean() }),
  weighed(10, { do: fc.constant('subscribe'), client, kind, start }),
  weighed(3, { do: fc.constantFrom('unsubscribe', 'withdraw'), client, kind }),
  weighed(2, { do: fc.constant('history'), client, kind, start }),
  weighed(14, publish),
  weighed(3, { do: fc.constant('stall'), client, which: fc.nat(KINDS.length - 1) }),
  weighed(3, { do: fc.constant('drop'), client, isClean: fc.boolean() }),
  weighed(3, { do: fc.constant('stop reading'), client }),
  weighed(3, { do: fc.constant('go on reading'), client }),
  weighed(1, { do: fc.constant('kill'), client, how: fc.constantFrom('throw', 'exit') }),
  weighed(4, { do: fc.constant('wait'), milliseconds: fc.integer({ min: 0, max: 20 }) }),
  // Half a second at least.
  { weight: 1, arbitrary: fc.constantFrom<Command>({ do: 'reload' }, { do: 'settle' }, { do: 'settle' }) }
)

/** What happens, in this order; each command begins when the one before has begun. */
export const schedules: fc.Arbitrary<Command[]> = fc.array(command, { maxLength: 80, size: 'max' })

function weighed(
  weight: number,
  fields: { readonly [name: string]: fc.Arbitrary<unknown> }
): { weight: number; arbitrary: fc.Arbitrary<Command> } {
  return {
    weight,
    arbitrary: fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<unknown> as fc.Arbitrary<Command>
  }
}
