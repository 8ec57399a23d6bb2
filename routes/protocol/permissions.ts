import type { Endpoint } from '../websocket/endpoint.ts'
import type { ChannelAction, Identity } from '../websocket/identity.ts'

/** What a client asks to do with a channel by itself. */
export type ClientAction = ChannelAction | 'history'

/**
 * Whether a client may do something with a channel without the help of the app. It may not, unless the app says so: what
 * `fastify.hub` and a socket's own methods do, they do for the app, and this is not asked about.
 *
 * @throws what `authorize` throws, at once or by the promise
 */
export function mayClient(
  { options }: Endpoint,
  identity: Identity | null,
  action: ClientAction,
  channel: string
): boolean | Promise<boolean> {
  const { authorize } = options
  if (authorize === null) return false
  // Whoever may subscribe gets the past by `since` anyway.
  const allowed = authorize(identity, channel, action === 'history' ? 'subscribe' : action)
  return typeof allowed === 'boolean' ? allowed : onlyTrue(allowed)
}

/** How the actions read in an error. */
export const PHRASES: Readonly<Record<ClientAction, string>> = {
  subscribe: 'subscribe to',
  publish: 'publish to',
  history: 'read the history of',
  presence: 'see who is present in'
}

async function onlyTrue(allowed: Promise<boolean>): Promise<boolean> {
  return (await allowed) === true
}
