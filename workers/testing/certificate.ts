import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

const DAY = 86_400_000

/** Makes a self-signed certificate for localhost and 127.0.0.1 that is valid today; Node itself can only read them. */
export function createCertificate(commonName = 'localhost'): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = certificateBody(commonName, publicKey)
  const signature = sign('sha256', body, privateKey)
  const der = sequence(body, ECDSA_WITH_SHA256, bitString(signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  }
}

/** TBSCertificate of RFC 5280 section 4.1. */
function certificateBody(commonName: string, publicKey: KeyObject): Buffer {
  const serial = randomBytes(8)
  serial[0] = 1 // neither negative nor with a leading zero
  const name = sequence(element(0x31, sequence(COMMON_NAME, element(0x0c, Buffer.from(commonName)))))
  return sequence(
    element(0xa0, element(0x02, Buffer.of(2))), // version 3
    element(0x02, serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(Date.now() - DAY), time(Date.now() + DAY)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(subjectAltName(), basicConstraints()))
  )
}

function subjectAltName(): Buffer {
  const names = sequence(
    element(0x82, Buffer.from('localhost')), // dNSName
    element(0x87, Buffer.of(127, 0, 0, 1)) // iPAddress
  )
  return sequence(Buffer.from('0603551d11', 'hex'), element(0x04, names))
}

/** It is its own authority, so that a client can be told to trust it. */
function basicConstraints(): Buffer {
  const isAuthority = element(0x01, Buffer.of(0xff))
  return sequence(Buffer.from('0603551d13', 'hex'), isAuthority, element(0x04, sequence(isAuthority)))
}

const COMMON_NAME = Buffer.from('0603550403', 'hex')
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')

function time(milliseconds: number): Buffer {
  const text = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return element(0x17, Buffer.from(text.slice(2))) // UTCTime: two digits for the year
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, ...parts)
}

function bitString(bytes: Buffer): Buffer {
  return element(0x03, Buffer.of(0), bytes)
}

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const { length } = Buffer.concat(parts)
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), ...parts])
}
