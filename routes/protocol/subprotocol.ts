/** What a client offers in `Sec-WebSocket-Protocol` to speak the protocol of docs/PROTOCOL.md. */
export const SUBPROTOCOL = 'scherzo.v1'
