import type { ChannelRule, ChannelRules } from '../../core/broadcast/channel-rules.ts'
import type { HistoryQuery } from '../../core/broadcast/history.ts'
import type { KeptMessage } from '../../core/broadcast/kept-messages.ts'
import type { Delivery } from '../../core/bus/broker.ts'
import type { Relay } from '../../core/bus/relay/relay.ts'
import { ScherzoError } from '../../core/errors.ts'
import type { CenterAnswer, PastCenter } from './history-center.ts'

/** The past of all channels where a broker keeps it. */
export class RemoteHistory implements PastCenter {
  readonly #relay: Relay
  readonly #rules: ChannelRules
  #isClosed = false

  constructor(relay: Relay, rules: ChannelRules) {
    this.#relay = relay
    this.#rules = rules
  }

  async setRule(pattern: string, rule: ChannelRule): Promise<void> {
    this.#rules.set(pattern, rule)
  }

  async fetch(channel: string, query: HistoryQuery): Promise<CenterAnswer> {
    if (this.#isClosed) throw new ScherzoError('SCZ_ERR_CLOSED', ['read the history'])
    const { past, position } = await this.#relay.past(channel, query)
    const { epoch, offset, first, messages } = past
    return { epoch, page: { offset, first, messages: messages.map(kept) }, read: position }
  }

  close(): void {
    this.#isClosed = true
  }
}

function kept({ data, isText, key, time }: Delivery): KeptMessage {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length)
  return { data: bytes.toString('latin1'), isText, key: key === '' ? null : key, time }
}
