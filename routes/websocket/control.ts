import { encodeData } from '../../core/broadcast/data.ts'
import type { HubData } from '../../core/broadcast/data.ts'
import { closeCodes } from '../../core/websocket/close-codes.ts'
import { binaryFrame, closeFrame, textFrame } from '../../core/websocket/frames.ts'

/** What is done to all sockets of an identity, on every worker. */
export type Control =
  | {
      readonly action: 'disconnect'
      readonly identity: string
      readonly code: number
      readonly reason: string
    }
  | { readonly action: 'unsubscribe'; readonly identity: string; readonly channel: string }
  /** JSON, or bytes. */
  | { readonly action: 'send'; readonly identity: string; readonly data: string | Uint8Array }

/**
 * Calls that reach all sockets of one identity, on all workers, and resolve with how many those were. A worker that does not
 * answer within a second is left out of the number. Two calls of one thread take effect in their order. What is published goes
 * another way: await one before the other where their order matters.
 */
export interface IdentityCalls {
  /**
   * Closes the sockets of an identity. It may connect again unless `authenticate` refuses it.
   *
   * @param code 4002 by default
   * @throws SCZ_ERR_WS_CLOSE_CODE, SCZ_ERR_CLOSED, by the promise
   */
  disconnect(identityId: string, code?: number, reason?: string): Promise<number>
  /**
   * Unsubscribes the sockets of an identity from a channel: what is published after the promise has resolved does not reach
   * them. They may subscribe again unless `authorize` refuses it.
   *
   * @throws SCZ_ERR_CLOSED, by the promise
   */
  unsubscribe(identityId: string, channel: string): Promise<number>
  /**
   * Sends to the sockets of an identity, in the form of what is broadcast but with no offset: `{"data":...}`, or bytes behind a
   * header with offset 0. A socket that reads too slowly for it is closed with 1008 and not counted.
   *
   * @throws SCZ_ERR_HUB_DATA, SCZ_ERR_CLOSED, by the promise
   */
  sendTo(identityId: string, data: HubData): Promise<number>
}

/** @param send hands a control to all workers, and adds up how many sockets it reached */
export function identityCalls(send: (control: Control) => Promise<number>): IdentityCalls {
  return {
    async disconnect(identity, code = closeCodes.disconnected, reason = 'The server has disconnected you') {
      // Throws here, and not on every worker, for a code that must not be sent.
      closeFrame(code, reason)
      return send({ action: 'disconnect', identity, code, reason })
    },
    async unsubscribe(identity, channel) {
      return send({ action: 'unsubscribe', identity, channel })
    },
    async sendTo(identity, data) {
      return send({ action: 'send', identity, data: encodeData(data) })
    }
  }
}

/** Like the envelope of what is broadcast, for a message that has no place in any order. */
export function directFrame(data: string | Uint8Array): Buffer {
  if (typeof data === 'string') return textFrame(`{"data":${data}}`)
  return binaryFrame(Buffer.concat([NO_CHANNEL_NO_OFFSET, data]))
}

const NO_CHANNEL_NO_OFFSET = Buffer.alloc(10)
