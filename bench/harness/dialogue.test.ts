import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialogues, type Speaker } from './dialogue.ts'
import { Sequence } from './sequence.ts'

function speaker(): Speaker & { said: unknown[]; isReady: boolean } {
  return {
    channel: 0,
    sequence: new Sequence(),
    epoch: null,
    recovered: 0,
    said: [],
    isReady: false,
    say(text) {
      this.said.push(JSON.parse(text))
    },
    becomeReady() {
      this.isReady = true
    }
  }
}

const protocol = dialogues['scherzo.v1']
const subscribed = '{"channel":"channel-0","subscribed":{"epoch":"e","offset":2}}'

test('who has nothing yet asks for what comes, and who comes back for what it has missed', () => {
  const one = speaker()
  protocol.take(one, '{"connected":{}}')
  protocol.take(one, subscribed)
  one.sequence.expected = 7
  protocol.take(one, '{"connected":{}}')
  const request = { id: 1, action: 'subscribe', channel: 'channel-0' }
  assert.deepEqual(one.said, [
    { ...request, since: null },
    { ...request, since: { epoch: 'e', offset: 7 } }
  ])
})

test('is level with the answer, which must not come before what was missed', () => {
  const one = speaker()
  const answer = '{"id":1,"ok":{"epoch":"e","offset":2,"count":2,"lost":null}}'
  assert.throws(() => protocol.take(one, answer), /up to offset 2, but it was up to 0/)
  one.sequence.expected = 2
  protocol.take(one, answer)
  assert.deepEqual([one.isReady, one.recovered], [true, 2])
})

test('what is lost counts, and an error ends the measurement', () => {
  const one = speaker()
  protocol.take(one, '{"channel":"channel-0","lost":{"from":1,"to":3}}')
  assert.deepEqual([one.sequence.skipped, one.sequence.expected], [3, 3])
  assert.throws(() => protocol.take(one, '{"id":1,"error":{"code":"SCZ"}}'), /Not expected/)
})
