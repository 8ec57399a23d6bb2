import type * as EnvelopeModule from '../../core/broadcast/envelope.ts'
import type * as RingModule from '../../core/bus/ring.ts'
import type * as ScannerModule from '../../core/http/scanner.ts'
import type * as FrameParserModule from '../../core/websocket/frame-parser.ts'
import type * as FramesModule from '../../core/websocket/frames.ts'
import type * as AnswerModule from '../../routes/answer.ts'
import type * as TableModule from '../../routes/table.ts'

/** One operation on a hot path, called a great many times. It checks what it gets. */
export interface MicroCase {
  name: string
  run: () => void
}

/** @param root the folder of a checkout, so that two commits can be measured by the same code */
export async function loadCases(root: URL): Promise<MicroCase[]> {
  const load = (path: string): Promise<unknown> => import(new URL(path, root).href)
  return [
    ...httpCases(
      (await load('core/http/scanner.ts')) as typeof ScannerModule,
      (await load('routes/table.ts')) as typeof TableModule,
      (await load('routes/answer.ts')) as typeof AnswerModule
    ),
    ...frameCases(
      (await load('core/websocket/frames.ts')) as typeof FramesModule,
      (await load('core/websocket/frame-parser.ts')) as typeof FrameParserModule,
      (await load('core/broadcast/envelope.ts')) as typeof EnvelopeModule
    ),
    ringCase((await load('core/bus/ring.ts')) as typeof RingModule)
  ]
}

/** As wrk sends it, with the headers that the TechEmpower plaintext test adds. */
const REQUEST = Buffer.from(
  'GET /plaintext HTTP/1.1\r\nHost: localhost:8080\r\nAccept: text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,' +
    'application/xml;q=0.8,*/*;q=0.7\r\nConnection: keep-alive\r\n\r\n'
)

function httpCases(
  { scanHead, RequestHead, COMPLETE }: typeof ScannerModule,
  { FastTable }: typeof TableModule,
  { Answer, Head }: typeof AnswerModule
): MicroCase[] {
  const head = new RequestHead()
  const table = new FastTable()
  const routeHead = new Head(200, { server: 'scherzo', 'content-type': 'text/plain' })
  const answer = Answer.ofText(routeHead, 'Hello, World!')
  const route = { path: '/plaintext', methods: ['GET'], isStatic: true, answersPreflight: false }
  for (let index = 0; index < 100; index++) {
    table.add('GET', `/path-${index}`, { ...route, answer: () => answer })
  }
  table.add('GET', '/plaintext', { ...route, answer: () => answer })
  const date = 'date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\r\n'
  return [
    {
      name: 'scan a request head',
      run: () => expect(scanHead(REQUEST, 0, REQUEST.length, head) === COMPLETE)
    },
    {
      name: 'find a fast route among 101',
      run: () => expect(table.find(REQUEST.toString('latin1', 0, 14)) !== null)
    },
    {
      name: 'compose a response',
      run: () => {
        const { start, text } = Answer.ofText(routeHead, 'Hello, World!')
        expect(Buffer.byteLength(start + date + (text ?? ''), 'latin1') > 100)
      }
    }
  ]
}

function frameCases(
  { textFrame }: typeof FramesModule,
  { FrameParser }: typeof FrameParserModule,
  { Envelope }: typeof EnvelopeModule
): MicroCase[] {
  const data = Buffer.from(JSON.stringify({ price: 1, text: 'x'.repeat(120) }))
  const envelope = new Envelope('ticks')
  const masked = maskedFrame(data)
  const copy = Buffer.alloc(masked.length)
  let messages = 0
  const parser = new FrameParser({
    onMessage: (message) => {
      expect(message.length === data.length)
      messages++
    },
    onPing: ignore,
    onPong: ignore,
    onClose: ignore
  })
  let offset = 0
  return [
    { name: 'encode a text frame of 143 bytes', run: () => expect(textFrame(data).length > data.length) },
    {
      name: 'encode a message of a channel',
      run: () => expect(envelope.frame({ offset: ++offset, isText: true, data }).length > data.length)
    },
    {
      name: 'parse a masked frame of 143 bytes',
      run: () => {
        const before = messages
        masked.copy(copy)
        parser.receive(copy)
        expect(messages === before + 1)
      }
    }
  ]
}

function ringCase({ Ring, RingWriter, RingReader }: typeof RingModule): MicroCase {
  const size = 192
  const header = 64
  const ring = new Ring(new SharedArrayBuffer(header + 65_536), 0, header)
  const reader = new RingReader(ring, 0)
  const writer = new RingWriter(ring, () => reader.position)
  return {
    name: 'write a record of 192 bytes to a ring and read it',
    run: () => {
      const at = writer.claim(size)
      ring.words[at >> 2] = size
      writer.commit(size)
      writer.publish()
      expect(reader.next() === at)
      reader.advance(size)
    }
  }
}

function maskedFrame(data: Buffer): Buffer {
  const mask = Buffer.from([1, 2, 3, 4])
  const frame = Buffer.concat([Buffer.from([0x81, 0xfe, data.length >> 8, data.length & 0xff]), mask, data])
  for (let index = 0; index < data.length; index++) frame[8 + index]! ^= mask[index % 4]!
  return frame
}

function ignore(): void {
  // Nothing of that kind is sent.
}

function expect(isRight: boolean): void {
  if (!isRight) throw new Error('A case gave something else than it should')
}
