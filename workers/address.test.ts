import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { claimAddress, hostAndPort, listenError } from './address.ts'
import { freePort, isFree, listenAlone } from './testing/ports.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1')
)
const skip = hasIpv6 ? false : 'this machine has no ::1'

test('a free address is claimed as it is and left free', async () => {
  const port = await freePort()
  deepEqual(await claimAddress('127.0.0.1', port), { host: '127.0.0.1', port })
  ok(await isFree(port))
})

test('port 0 becomes a port that is free', async () => {
  const { host, port } = await claimAddress('127.0.0.1', 0)
  equal(host, '127.0.0.1')
  ok(port > 0)
  ok(await isFree(port))
})

test('a host name becomes the address that it stands for', async () => {
  const { host } = await claimAddress('localhost', 0)
  ok(host === '127.0.0.1' || host === '::1', host)
})

test('an IPv6 address is claimed as it is', { skip }, async () => {
  const port = await freePort()
  deepEqual(await claimAddress('::1', port), { host: '::1', port })
  ok(await isFree(port, '::1'))
})

test('a port that a server has is refused', async () => {
  const server = await listenAlone(0)
  const { port } = server.address() as AddressInfo
  await rejects(claimAddress('127.0.0.1', port), taken(`127.0.0.1:${port}`))
  await rejects(claimAddress('0.0.0.0', port), taken(`0.0.0.0:${port}`))
  server.close()
})

test('an IPv6 port that a server has is refused, with brackets in the message', { skip }, async () => {
  const server = await listenAlone(0, '::1')
  const { port } = server.address() as AddressInfo
  await rejects(claimAddress('::1', port), taken(`[::1]:${port}`))
  server.close()
})

test(
  'a port that a server shares with reusePort is refused',
  { skip: process.platform === 'linux' ? false : 'the port can not be shared here' },
  async () => {
    const server = createServer()
    await new Promise<void>((resolve) =>
      server.listen({ host: '127.0.0.1', port: 0, reusePort: true }, resolve)
    )
    const { port } = server.address() as AddressInfo
    await rejects(claimAddress('127.0.0.1', port), taken(`127.0.0.1:${port}`))
    server.close()
  }
)

test('a host name that does not exist is refused', async () => {
  await rejects(claimAddress('host.invalid', 4), {
    code: 'SCZ_ERR_LISTEN',
    // A machine without a network can't tell.
    message:
      /^Cannot listen on host\.invalid:4: (there is no host of that name|the host name could not be looked up)$/
  })
})

test('an address of another machine is refused', async () => {
  await rejects(claimAddress('192.0.2.1', 4), {
    code: 'SCZ_ERR_LISTEN',
    message: 'Cannot listen on 192.0.2.1:4: this machine does not have that address'
  })
})

test('a refusal that has no words of ours has those of Node, and its error as the cause', () => {
  const cause = Object.assign(new Error('listen EMFILE: too many open files'), { code: 'EMFILE' })
  const error = listenError('127.0.0.1', 4, cause)
  equal(error.message, 'Cannot listen on 127.0.0.1:4: listen EMFILE: too many open files')
  equal(error.cause, cause)
})

test('an IPv6 address has brackets before its port', () => {
  equal(hostAndPort('::1', 80), '[::1]:80')
  equal(hostAndPort('127.0.0.1', 80), '127.0.0.1:80')
})

function taken(address: string): { code: string; message: string } {
  const message = `Cannot listen on ${address}: the port is in use; stop the other server or choose another port`
  return { code: 'SCZ_ERR_LISTEN', message }
}
