import type { ChannelAction, Identity } from '../websocket/identity.ts'
import type { Permissions } from '../websocket/permissions.ts'

/** What a client asks to do with a channel by itself. */
export type ClientAction = ChannelAction | 'history'

/**
 * The first of several actions that it may not, or null.
 *
 * @throws what the app's functions throw, at once or by the promise
 */
export function firstRefused(
  permissions: Permissions,
  identity: Identity | null,
  actions: readonly ClientAction[],
  channel: string
): ClientAction | null | Promise<ClientAction | null> {
  for (const [index, action] of actions.entries()) {
    // Whoever may subscribe gets the past by `since` anyway.
    const allowed = permissions.mayClient(identity, channel, action === 'history' ? 'subscribe' : action)
    if (typeof allowed !== 'boolean')
      return allowed.then((isAllowed) =>
        isAllowed ? firstRefused(permissions, identity, actions.slice(index + 1), channel) : action
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
