import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { LargeMessage } from './message.ts'

/**
 * Takes the data of a large message from the port of its publisher. It was sent before its record was written, so it is here,
 * and so are some whose publisher died in between.
 */
export function receiveLarge(port: MessagePort, sequence: number): LargeMessage {
  for (;;) {
    const { message } = receiveMessageOnPort(port) as { message: LargeMessage }
    if (message.sequence === sequence) return message
  }
}
