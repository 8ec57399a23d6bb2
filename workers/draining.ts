import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { lastOwed } from './response-order.ts'

/** What Node publishes when the last byte of a response has been handed to the operating system. */
interface FinishedResponse {
  readonly response: unknown
  readonly socket: Socket
  readonly server: unknown
}

/**
 * Ends each connection of a closing server with the last response that it is owed. Node ends only those that are idle when
 * the server closes; one that becomes idle later would hold the server until its keep-alive runs out.
 */
export function endConnectionsAfterResponses(server: Server): void {
  subscribe('http.server.response.finish', (message) => {
    const { response, socket, server: its } = message as FinishedResponse
    if (its === server && lastOwed(socket) === response) socket.destroySoon()
  })
}
