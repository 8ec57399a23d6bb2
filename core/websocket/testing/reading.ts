import { ScherzoError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import { FrameParser, defaultParserSettings } from '../frame-parser.ts'
import type { FrameSink, ParserSettings } from '../frame-parser.ts'

export type FrameEvent =
  | readonly ['text' | 'binary' | 'ping' | 'pong', string]
  | readonly ['close', number | null, string]

export interface Reading {
  /** Payloads of text and closes as UTF-8, the others as Latin-1. */
  readonly events: readonly FrameEvent[]
  readonly fault: ErrorCode | null
}

/** Notes down what a parser gives. */
export class Recorder implements FrameSink {
  readonly events: FrameEvent[] = []

  onMessage(data: Buffer, isBinary: boolean): void {
    this.events.push(isBinary ? ['binary', data.toString('latin1')] : ['text', data.toString()])
  }

  onPing(payload: Buffer): void {
    this.events.push(['ping', payload.toString('latin1')])
  }

  onPong(payload: Buffer): void {
    this.events.push(['pong', payload.toString('latin1')])
  }

  onClose(code: number | null, reason: string): void {
    this.events.push(['close', code, reason])
  }
}

/**
 * What a parser makes of `bytes`, given in pieces of these sizes in turn, the last one again and again.
 *
 * @throws what is no ScherzoError with a close code
 */
export function read(
  bytes: Uint8Array,
  sizes: readonly number[] = [],
  settings: Partial<ParserSettings> = {}
): Reading {
  const recorder = new Recorder()
  const parser = new FrameParser(recorder, { ...defaultParserSettings, ...settings })
  let fault: ErrorCode | null = null
  let at = 0
  let index = 0
  while (at < bytes.length) {
    const size = sizes[Math.min(index++, sizes.length - 1)] ?? bytes.length
    // The parser unmasks in place, so it gets a copy, and one that is aligned as by chance.
    const chunk = Buffer.concat([Buffer.alloc(at % 5), bytes.subarray(at, at + size)]).subarray(at % 5)
    at += size
    try {
      parser.receive(chunk)
    } catch (error) {
      if (!(error instanceof ScherzoError) || error.closeCode === null || fault !== null) throw error
      fault = error.code
    }
  }
  return { events: recorder.events, fault }
}

/** Reads in one piece, byte by byte, and cut once at every offset; gives what was different from the first, too. */
export function readEveryWay(
  bytes: Uint8Array,
  settings: Partial<ParserSettings> = {}
): { readonly reading: Reading; readonly others: readonly Reading[] } {
  const reading = read(bytes, [], settings)
  const same = JSON.stringify(reading)
  const others = [read(bytes, [1], settings)]
  const step = Math.max(1, Math.floor(bytes.length / 64))
  for (let cut = 1; cut < bytes.length; cut += cut < 32 || bytes.length - cut < 32 ? 1 : step) {
    others.push(read(bytes, [cut, bytes.length], settings))
  }
  return { reading, others: others.filter((other) => JSON.stringify(other) !== same) }
}
