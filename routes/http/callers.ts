import type { FastifyReply, FastifyRequest } from 'fastify'
import { ScherzoError } from '../../core/errors.ts'
import type { ChannelRules } from '../../core/broadcast/channel-rules.ts'
import { identify } from '../websocket/admission.ts'
import type { ChannelAction, Identity } from '../websocket/identity.ts'
import { Permissions } from '../websocket/permissions.ts'
import type { HistoryRouteOptions } from './options.ts'

/** Who sends the requests of a route, and what they may do. */
export class Callers {
  readonly #authenticate: HistoryRouteOptions['authenticate']
  readonly #permissions: Permissions
  readonly #identities = new WeakMap<FastifyRequest, Identity>()

  constructor({ authenticate, authorize }: HistoryRouteOptions, rules: ChannelRules) {
    this.#authenticate = authenticate
    this.#permissions = new Permissions(rules, authorize ?? null)
  }

  /**
   * Before the body of the request is read.
   *
   * @throws SCZ_ERR_IDENTITY_REFUSED, SCZ_ERR_IDENTITY_UNAVAILABLE, SCZ_ERR_IDENTITY_VALUE
   */
  async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const given = this.#authenticate
    if (given === 'none') return
    const authenticate =
      typeof given === 'function' ? given : (): Promise<Identity | null> => given.authenticate(request)
    // A token can't come in a message here.
    const identity = await identify({ authenticate, tokens: null }, request, reply)
    if (identity !== null) this.#identities.set(request, identity)
  }

  /** Null where nobody asks. */
  identityOf(request: FastifyRequest): Identity | null {
    return this.#identities.get(request) ?? null
  }

  /** @throws SCZ_ERR_HTTP_FORBIDDEN, SCZ_ERR_HUB_CHANNEL, and what the app's functions throw */
  async check(request: FastifyRequest, channel: string, action: ChannelAction): Promise<void> {
    if (await this.#permissions.mayApp(this.identityOf(request), channel, action)) return
    const what = action === 'publish' ? 'publish to' : 'read'
    throw new ScherzoError('SCZ_ERR_HTTP_FORBIDDEN', [what, channel])
  }
}
