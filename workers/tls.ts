import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { ScherzoError, reasonOf } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'
import type { TlsMaterial } from './messages.ts'

/** Encrypts session tickets; one set for the life of the server, so that sessions outlive workers and reloads. */
const ticketKeys: Uint8Array = randomBytes(48)

/**
 * Reads the certificate and its key and makes sure that they belong together, before any worker is started with them.
 * Null where the settings have none.
 *
 * @throws SCZ_ERR_TLS_FILE
 */
export async function readTls({ tlsCert, tlsKey, http2 }: Settings): Promise<TlsMaterial | null> {
  if (tlsCert === null || tlsKey === null) return null
  const [cert, key] = await Promise.all([readPem(tlsCert), readPem(tlsKey)])
  tryContext({ cert }, tlsCert, 'it has no certificate in PEM')
  tryContext({ key }, tlsKey, 'it has no private key in PEM that can be read without a passphrase')
  tryContext({ cert, key }, tlsKey, `it is not the key of the certificate in ${tlsCert}`)
  return { cert, key, ticketKeys, http2 }
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new ScherzoError('SCZ_ERR_TLS_FILE', [path, READ_FAULTS[code] ?? reasonOf(error)], { cause: error })
  }
}

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory'
}

function tryContext(part: { cert?: string; key?: string }, path: string, fault: string): void {
  try {
    createSecureContext(part)
  } catch (error) {
    throw new ScherzoError('SCZ_ERR_TLS_FILE', [path, fault], { cause: error })
  }
}
