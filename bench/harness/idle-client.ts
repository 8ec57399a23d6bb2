// Run as: node idle-client.ts PORT PATH CONNECTIONS, with an IPC channel to its parent.
// Opens the connections, gets one answer on each, tells how many it got and holds them. Tells again when asked.

import { connect } from 'node:net'
import { ResponseReader } from './response-reader.ts'

const [, , port, path = '/', connections] = process.argv
const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`

// As many at a time as every server's listen queue holds.
const AT_A_TIME = 128

let started = 0
let open = 0

process.on('message', () => process.send?.(open))
// A benchmark that was killed leaves no client behind.
process.on('disconnect', () => process.exit())

await Promise.all(Array.from({ length: AT_A_TIME }, openOneAfterAnother))
process.send?.(open)

async function openOneAfterAnother(): Promise<void> {
  while (started < Number(connections)) {
    started++
    await openOne()
  }
}

function openOne(): Promise<void> {
  return new Promise((resolve, reject) => {
    const reader = new ResponseReader()
    const socket = connect({ port: Number(port), host: '127.0.0.1' })
    socket.once('error', reject)
    socket.on('data', (bytes: Buffer) => {
      const [response] = reader.push(bytes)
      if (response === undefined) return
      if (response.status === 200) {
        open++
        socket.once('close', () => open--)
        resolve()
      } else {
        socket.destroy(new Error(`GET ${path} was answered with ${response.status}`))
      }
    })
    socket.write(request)
  })
}
