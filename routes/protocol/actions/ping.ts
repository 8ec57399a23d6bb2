import type { Action } from './action.ts'

/** `{"action":"ping"}`: asks whether the server is there, for clients that can't see the pings of the WebSocket, as pages can't. */
export const ping: Action = () => ({ asks: null, run: () => ({}) })
