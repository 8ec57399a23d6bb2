import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type Response, ResponseReader } from './response-reader.ts'

/** What a server must answer before its speed means anything. */
export interface Answer {
  path: string
  mediaType: string
  body: string
}

const PIPELINED = 16
const SECONDS_TO_ANSWER = 5

/** Each path alone, 16 times pipelined, and all of them in turn, which shows the order of pipelined answers too. */
export async function checkAnswers(port: number, answers: readonly Answer[]): Promise<void> {
  for (const answer of answers) {
    await checkSequence(port, [answer])
    await checkSequence(port, Array<Answer>(PIPELINED).fill(answer))
  }
  await checkSequence(
    port,
    Array.from({ length: PIPELINED }, (_, index) => answers[index % answers.length] as Answer)
  )
}

async function checkSequence(port: number, expected: readonly Answer[]): Promise<void> {
  const responses = await ask(
    port,
    expected.map(({ path }) => path)
  )
  assert.equal(
    responses.length,
    expected.length,
    `${expected.length} requests got ${responses.length} answers`
  )
  for (const [index, response] of responses.entries()) {
    const { path, mediaType, body } = expected[index] as Answer
    const given = {
      status: response.status,
      mediaType: response.headers.get('content-type')?.split(';')[0],
      body: response.body,
      // A server that leaves Date out does less than the others.
      date: response.headers.has('date')
    }
    assert.deepEqual(given, { status: 200, mediaType, body, date: true }, `Wrong answer to GET ${path}`)
  }
}

/** Sends all requests in one write and gives what came back until there were as many responses. */
function ask(port: number, paths: readonly string[]): Promise<Response[]> {
  return new Promise((resolve, reject) => {
    const reader = new ResponseReader()
    const responses: Response[] = []
    const socket = connect({ port, host: '127.0.0.1' })
    socket.setTimeout(SECONDS_TO_ANSWER * 1000, () =>
      socket.destroy(new Error(`No answer to GET ${paths.join(', ')} after ${SECONDS_TO_ANSWER} s`))
    )
    socket.on('data', (data: Buffer) => {
      try {
        responses.push(...reader.push(data))
      } catch (error) {
        reject(error)
        socket.destroy()
      }
      if (responses.length >= paths.length) socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(responses))
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`).join(''))
  })
}
