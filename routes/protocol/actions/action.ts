import type { ChannelCalls, Client } from '../client.ts'
import type { ClientAction } from '../permissions.ts'
import type { Fields } from '../request.ts'

/**
 * Reads the fields of a request that it knows, and ignores all others.
 *
 * @throws errors of the catalogue that the client gets, see ../answers.ts
 */
export type Action = (fields: Fields) => Job

/** A request that makes sense. */
export interface Job {
  /** The channel that it is about, and all that has to be allowed there; null where nobody need be asked. */
  readonly asks: { readonly actions: readonly ClientAction[]; readonly channel: string } | null
  /**
   * Takes effect before it returns, so that what a client asks for happens in its order; what it gives, now or later, is
   * the answer.
   *
   * @throws as the action, at once or by the promise
   */
  run(client: Client, calls: ChannelCalls): object | Promise<object>
}
