import type { Delivery, Outgoing } from '../broker.ts'

/**
 * A message as it lies at a broker: a byte of flags, the lengths of key and meta in two bytes each, key, meta, and the data. Numbers
 * have their first byte on top.
 */
export type Content = Pick<Delivery, 'isText' | 'key' | 'meta' | 'data'>

const TEXT = 1
const HEAD = 5

export function encodeBody({ isText, key, meta, data }: Pick<Outgoing, keyof Content>): Buffer {
  const keyLength = Buffer.byteLength(key)
  const metaLength = Buffer.byteLength(meta)
  const body = Buffer.allocUnsafe(HEAD + keyLength + metaLength + data.length)
  body[0] = isText ? TEXT : 0
  body.writeUInt16BE(keyLength, 1)
  body.writeUInt16BE(metaLength, 3)
  body.write(key, HEAD)
  body.write(meta, HEAD + keyLength)
  body.set(data, HEAD + keyLength + metaLength)
  return body
}

export function decodeBody(body: Buffer): Content {
  const metaStart = HEAD + body.readUInt16BE(1)
  const dataStart = metaStart + body.readUInt16BE(3)
  return {
    isText: (body[0]! & TEXT) !== 0,
    key: body.toString('utf8', HEAD, metaStart),
    meta: body.toString('utf8', metaStart, dataStart),
    data: body.subarray(dataStart)
  }
}

/** A whole number below 2^53 in eight bytes. */
export function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
