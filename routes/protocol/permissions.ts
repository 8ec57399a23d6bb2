import type { Endpoint } from '../websocket/endpoint.ts'
import type { ChannelAction, Identity } from '../websocket/identity.ts'

/** What a client asks to do with a channel by itself. */
export type ClientAction = ChannelAction | 'history'

/**
 * The first of several actions that it may not, or null.
 *
 * @throws what `authorize` throws, at once or by the promise
 */
export function firstRefused(
  endpoint: Endpoint,
  identity: Identity | null,
  actions: readonly ClientAction[],
  channel: string
): ClientAction | null | Promise<ClientAction | null> {
  for (const [index, action] of actions.entries()) {
    const allowed = mayClient(endpoint, identity, action, channel)
    if (typeof allowed !== 'boolean')
      return allowed.then((isAllowed) =>
        isAllowed ? firstRefused(endpoint, identity, actions.slice(index + 1), channel) : action
      )
    if (!allowed) return action
  }
  return null
}

/** How the actions read in an error. */
export const PHRASES: Readonly<Record<ClientAction, string>> = {
  subscribe: 'subscribe to',
  publish: 'publish to',
  history: 'read the history of',
  presence: 'see who is present in'
}

/**
 * Whether a client may do something with a channel without the help of the app. It may not, unless the app says so: what
 * `fastify.hub` and a socket's own methods do, they do for the app, and this is not asked about.
 *
 * @throws what `authorize` throws, at once or by the promise
 */
function mayClient(
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

async function onlyTrue(allowed: Promise<boolean>): Promise<boolean> {
  return (await allowed) === true
}
