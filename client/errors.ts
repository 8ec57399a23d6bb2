/**
 * What goes wrong in the client itself. Errors of the server come with its own codes, docs/ERRORS.md. docs/CLIENT.md has a row
 * for each; a test holds the two together.
 */
export const messages = {
  SCZ_ERR_CLIENT_CLOSED: 'The client is closed',
  SCZ_ERR_CLIENT_ENDED: 'The server has ended the connection for good',
  SCZ_ERR_CLIENT_TOKEN: 'Cannot get the token or the URL to connect with',
  SCZ_ERR_CLIENT_QUEUE: 'Too many requests wait for the server: wait for answers before you send more',
  SCZ_ERR_CLIENT_SIZE: 'The message is longer than the server takes',
  SCZ_ERR_CLIENT_DATA: 'The data are nothing that JSON can hold',
  SCZ_ERR_CLIENT_BUFFER: 'The loop reads too slowly: its buffer is full',
  SCZ_ERR_CLIENT_SINCE: 'The channel is subscribed to already: "since" is for the first subscription',
  SCZ_ERR_CLIENT_HOLE: 'The server left out messages: asking for them again',
  SCZ_ERR_CLIENT_MESSAGE: 'Cannot open a message of the server',
  SCZ_ERR_CLIENT_WEBSOCKET: 'There is no WebSocket here: give the option WebSocket'
} as const

export type ClientErrorCode = keyof typeof messages

/** Whatever a client rejects with or tells of. */
export class ClientError extends Error {
  /** One of the client's own codes, or one of the server's. */
  readonly code: string
  /** Of the WebSocket, where the server has ended it. */
  readonly closeCode: number | null

  constructor(code: string, message: string, closeCode: number | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ClientError'
    this.code = code
    this.closeCode = closeCode
  }
}

export function ownError(code: ClientErrorCode, cause?: unknown): ClientError {
  return new ClientError(code, messages[code], null, cause)
}
