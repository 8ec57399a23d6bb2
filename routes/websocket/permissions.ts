import type { ChannelRule, ChannelRules } from '../../core/broadcast/channel-rules.ts'
import { checkChannel } from '../../core/broadcast/data.ts'
import { permits } from '../../core/broadcast/permission.ts'
import type { Permission } from '../../core/broadcast/permission.ts'
import type { Authorize, ChannelAction, Identity } from './identity.ts'

/** What a rule says about who may do it. Who may subscribe may see who else has, unless the rule has a word on that. */
const PERMISSIONS: {
  readonly [Action in ChannelAction]: (rule: ChannelRule) => Permission | undefined
} = {
  subscribe: ({ subscribe }) => subscribe,
  publish: ({ publish }) => publish,
  presence: ({ seePresence, subscribe }) => seePresence ?? subscribe
}

/** What the rules of channels and `authorize` of a route let clients do. Where both say something, both have to say yes. */
export class Permissions {
  readonly #rules: Pick<ChannelRules, 'of'>
  readonly #authorize: Authorize | null

  constructor(rules: Pick<ChannelRules, 'of'>, authorize: Authorize | null) {
    this.#rules = rules
    this.#authorize = authorize
  }

  /**
   * Whether a client may do what it asks for by itself: only if a rule or `authorize` says so.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, and what the app's functions throw or reject with
   */
  mayClient(identity: Identity | null, channel: string, action: ChannelAction): boolean | Promise<boolean> {
    return this.#decide(identity, channel, action) ?? false
  }

  /**
   * Whether the app may do it for a client: unless a rule or `authorize` says no.
   *
   * @throws SCZ_ERR_HUB_CHANNEL, and what the app's functions throw or reject with
   */
  mayApp(identity: Identity | null, channel: string, action: ChannelAction): boolean | Promise<boolean> {
    return this.#decide(identity, channel, action) ?? true
  }

  /** Null where nobody says anything. */
  #decide(
    identity: Identity | null,
    channel: string,
    action: ChannelAction
  ): boolean | Promise<boolean> | null {
    checkChannel(channel)
    const authorize = this.#authorize
    const rule = this.#rules.of(channel)
    const permission = rule === null ? undefined : PERMISSIONS[action](rule)
    if (authorize === null && permission === undefined) return null
    const byRule = permission === undefined || permits(permission, identity, channel)
    const byRoute = (): boolean | Promise<boolean> =>
      authorize === null || authorize(identity, channel, action)
    return both(byRule, byRoute)
  }
}

/** The second is asked only where the first has said yes. Only `true` is a yes. */
function both(
  first: boolean | Promise<boolean>,
  askSecond: () => boolean | Promise<boolean>
): boolean | Promise<boolean> {
  if (isLater(first)) return isYesOf(first).then((isYes) => isYes && isYesOf(askSecond()))
  if (first !== true) return false
  const second = askSecond()
  return isLater(second) ? isYesOf(second) : second === true
}

async function isYesOf(answer: boolean | Promise<boolean>): Promise<boolean> {
  return (await answer) === true
}

function isLater(answer: unknown): answer is Promise<boolean> {
  return typeof answer === 'object' && answer !== null && 'then' in answer
}
