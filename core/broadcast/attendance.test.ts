import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { Attendance, type AttendanceReport } from './attendance.ts'
import { loopTurn } from './testing/fake-bus.ts'

function open(): { attendance: Attendance; take: () => Promise<readonly AttendanceReport[]> } {
  let reported: AttendanceReport[] = []
  const attendance = new Attendance({
    isAsked: () => true,
    report: (reports) => void reported.push(...reports)
  })
  const take = async (): Promise<readonly AttendanceReport[]> => {
    await loopTurn()
    const taken = reported
    reported = []
    return taken
  }
  return { attendance, take }
}

const ada = { id: 'ada', data: '1' }

test('the first socket of an identity and the last are reported, by channel', async () => {
  const { attendance, take } = open()
  attendance.enter('a', ada)
  attendance.enter('b', ada)
  attendance.enter('a', ada)
  deepEqual(await take(), [
    { channel: 'a', joined: [ada], left: [] },
    { channel: 'b', joined: [ada], left: [] }
  ])
  attendance.leave('a', 'ada')
  deepEqual(await take(), [])
  attendance.leave('a', 'ada')
  deepEqual(await take(), [{ channel: 'a', joined: [], left: ['ada'] }])
})

test('what a turn takes back is not reported', async () => {
  const { attendance, take } = open()
  attendance.enter('a', ada)
  attendance.leave('a', 'ada')
  deepEqual(await take(), [])
  attendance.enter('a', ada)
  await take()
  attendance.leave('a', 'ada')
  attendance.enter('a', ada)
  deepEqual(await take(), [])
})

test('other data are reported, those of a second socket, too', async () => {
  const { attendance, take } = open()
  attendance.enter('a', ada)
  await take()
  attendance.show('a', { id: 'ada', data: '2' })
  deepEqual(await take(), [{ channel: 'a', joined: [{ id: 'ada', data: '2' }], left: [] }])
  attendance.enter('a', { id: 'ada', data: null })
  deepEqual(await take(), [{ channel: 'a', joined: [{ id: 'ada', data: null }], left: [] }])
})

test('who was never there leaves nothing', async () => {
  const { attendance, take } = open()
  attendance.leave('a', 'ada')
  attendance.show('a', ada)
  equal((await take()).length, 0)
})
