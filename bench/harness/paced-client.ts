// node bench/harness/paced-client.ts PORT PATH BODY PER_SECOND SECONDS
//
// Requests at a fixed rate. Prints their latencies in milliseconds as JSON.

import { askAtRate } from './paced-requests.ts'

const [port, path = '/', body = '', perSecond, seconds] = process.argv.slice(2)
console.log(JSON.stringify(await askAtRate(Number(port), path, body, Number(perSecond), Number(seconds))))
process.exit()
