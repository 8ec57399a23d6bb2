import { directFrame } from './control.ts'
import type { Control } from './control.ts'

/** A socket that is known by an identity. Each call tells whether the socket was reached. */
export interface Identified {
  disconnect(code: number, reason: string): boolean
  withdraw(channel: string): boolean
  sendFrame(frame: Buffer): boolean
}

/** The sockets of a worker by the ids of their identities. */
export class Identities {
  readonly #sockets = new Map<string, Set<Identified>>()

  count(id: string): number {
    return this.#sockets.get(id)?.size ?? 0
  }

  add(id: string, socket: Identified): void {
    const known = this.#sockets.get(id)
    if (known === undefined) this.#sockets.set(id, new Set([socket]))
    else known.add(socket)
  }

  delete(id: string, socket: Identified): void {
    const known = this.#sockets.get(id)
    if (known?.delete(socket) && known.size === 0) this.#sockets.delete(id)
  }

  /** @returns how many sockets were reached */
  apply(control: Control): number {
    const sockets = this.#sockets.get(control.identity)
    if (sockets === undefined) return 0
    const act = actionOf(control)
    let reached = 0
    for (const socket of sockets) if (act(socket)) reached++
    return reached
  }
}

function actionOf(control: Control): (socket: Identified) => boolean {
  switch (control.action) {
    case 'disconnect':
      return (socket) => socket.disconnect(control.code, control.reason)
    case 'unsubscribe':
      return (socket) => socket.withdraw(control.channel)
    case 'send': {
      const frame = directFrame(control.data)
      return (socket) => socket.sendFrame(frame)
    }
  }
}
