import type { ConformanceCase } from './case.ts'
import { cases, host, must } from './case.ts'
import { answers, staysHttp } from './expectations.ts'

const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

/** Upgrade requests that must not switch the protocol; the path asked for is a plain HTTP route. */
export const websocket: readonly ConformanceCase[] = cases('websocket', [
  must(
    'WS-UPGRADE-POST',
    '6455 section 4.1',
    staysHttp,
    `POST / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n${key}Sec-WebSocket-Version: 13\r\n\r\n`
  ),
  must(
    'WS-UPGRADE-MISSING-CONN',
    '9110 section 7.8',
    staysHttp,
    `GET / HTTP/1.1\r\n${host}Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 13\r\n\r\n`
  ),
  must(
    'WS-UPGRADE-UNKNOWN',
    '9110 section 7.8',
    staysHttp,
    `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: totally-made-up/1.0\r\n\r\n`
  ),
  must(
    'WS-UPGRADE-INVALID-VER',
    '6455 section 4.4',
    answers({ fail: [101], pass: [426], warn: ['2xx'], other: 'pass', closed: 'pass', silent: 'fail' }),
    `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n${key}Sec-WebSocket-Version: 99\r\n\r\n`
  ),
  must(
    'WS-UPGRADE-HTTP10',
    '9110 section 7.8',
    staysHttp,
    `GET / HTTP/1.0\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n${key}Sec-WebSocket-Version: 13\r\n\r\n`
  )
])
