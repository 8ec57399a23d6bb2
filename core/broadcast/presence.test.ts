import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Presence } from './presence.ts'
import { PresenceView } from './testing/presence-view.ts'

const limits = { maxMembers: 1000, interval: 200 }

function shown(id: string, data: unknown = null): { id: string; data: string | null } {
  return { id, data: data === null ? null : JSON.stringify(data) }
}

test('who comes is told, with what the app shows', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada', { name: 'Ada' }))
  presence.enter(2, shown('bob'))
  equal(presence.take(0, limits), '{"count":2,"joined":[{"id":"ada","data":{"name":"Ada"}},{"id":"bob"}]}')
  equal(presence.take(200, limits), null)
  equal(presence.state, '{"count":2,"members":[{"id":"ada","data":{"name":"Ada"}},{"id":"bob"}]}')
})

test('who leaves is missed after the interval, and not before', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada'))
  presence.take(0, limits)
  presence.leave(1, 'ada', 100)
  equal(presence.count, 0)
  equal(presence.take(299, limits), null)
  equal(presence.isTold, false)
  equal(presence.state, '{"count":1,"members":[{"id":"ada"}]}')
  equal(presence.take(300, limits), '{"count":0,"left":["ada"]}')
  equal(presence.isTold, true)
  equal(presence.isEmpty, true)
})

test('who is back within the interval makes no change', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada', 1))
  presence.take(0, limits)
  presence.leave(1, 'ada', 100)
  equal(presence.take(200, limits), null)
  presence.enter(2, shown('ada', 1))
  equal(presence.isTold, true)
  equal(presence.take(1000, limits), null)
})

test('who was there only in between is never told', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada'))
  presence.leave(1, 'ada', 100)
  equal(presence.take(200, limits), null)
  equal(presence.isEmpty, true)
})

test('one with sockets on two threads leaves with the last', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada'))
  presence.enter(2, shown('ada'))
  equal(presence.count, 1)
  presence.take(0, limits)
  presence.leave(1, 'ada', 0)
  presence.leave(1, 'ada', 0)
  equal(presence.take(300, limits), null)
  presence.leave(2, 'ada', 300)
  equal(presence.take(500, limits), '{"count":0,"left":["ada"]}')
})

test('all that a thread has reported goes when it ends', () => {
  const presence = new Presence()
  for (const id of ['ada', 'bob']) presence.enter(1, shown(id))
  for (const id of ['bob', 'cyd']) presence.enter(2, shown(id))
  presence.take(0, limits)
  presence.end(1, 0)
  equal(presence.take(200, limits), '{"count":2,"left":["ada"]}')
})

test('other data of one who is there are told', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada', 1))
  presence.take(0, limits)
  presence.enter(1, shown('ada', 2))
  equal(presence.take(0, limits), '{"count":1,"joined":[{"id":"ada","data":2}]}')
  presence.enter(1, shown('ada', 3))
  presence.enter(1, shown('ada', 2))
  equal(presence.isTold, true)
})

test('of too many only the number is told, and all are named again when there are clearly fewer', () => {
  const presence = new Presence()
  const few = { maxMembers: 10, interval: 0 }
  const enter = (from: number, to: number): void => {
    for (let index = from; index <= to; index++) presence.enter(1, shown(`${index}`))
  }
  enter(1, 10)
  equal(JSON.parse(presence.take(0, few)!).joined.length, 10)
  enter(11, 12)
  equal(presence.take(0, few), '{"count":12}')
  equal(presence.state, '{"count":12}')
  equal(presence.snapshot(few), '{"count":12}')
  presence.leave(1, '1', 0)
  presence.leave(1, '2', 0)
  equal(presence.take(0, few), '{"count":10}', 'one more, and it would be too many again')
  presence.leave(1, '3', 0)
  enter(13, 13)
  equal(presence.take(0, few), null, 'the number is the same')
  presence.leave(1, '4', 0)
  const { count, members } = JSON.parse(presence.take(0, few)!)
  deepEqual([count, members.length], [9, 9])
})

test('the whole state is told where a message was lost', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada'))
  presence.take(0, limits)
  presence.restate()
  equal(presence.isTold, false)
  equal(presence.take(0, limits), '{"count":1,"members":[{"id":"ada"}]}')
  equal(presence.take(0, limits), null)
})

test('a snapshot has what is so now', () => {
  const presence = new Presence()
  presence.enter(1, shown('ada'))
  presence.take(0, limits)
  presence.enter(1, shown('bob'))
  presence.leave(1, 'ada', 0)
  equal(presence.snapshot(limits), '{"count":1,"members":[{"id":"bob"}]}')
})

const THREADS = 3
const IDS = ['ada', 'bob', 'cyd', 'dan', 'é"\\\u2028']
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('enter' as const),
      thread: fc.nat(THREADS - 1),
      id: fc.constantFrom(...IDS),
      data: fc.constantFrom(null, 1, { name: 'x' })
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('leave' as const),
      thread: fc.nat(THREADS - 1),
      id: fc.constantFrom(...IDS)
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), thread: fc.nat(THREADS - 1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), after: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('watch' as const) }) }
)

test('whoever gets the state at any time, and all changes behind it, ends with what is true', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80, size: 'max' }),
      fc.constantFrom(1, 2, 3, 1000),
      (steps, maxMembers) => {
        const presence = new Presence()
        const rule = { maxMembers, interval: 200 }
        /** Threads by id, and what was shown last. */
        const truth = new Map<string, { threads: Set<number>; data: unknown }>()
        const views: PresenceView[] = []
        let now = 0
        const watch = (): void => {
          const view = new PresenceView()
          view.take(JSON.parse(presence.state))
          views.push(view)
        }
        const leave = (id: string, thread: number): void => {
          const member = truth.get(id)
          if (member?.threads.delete(thread) === true && member.threads.size === 0) truth.delete(id)
        }
        const take = (isLost: boolean): void => {
          const told = presence.take(now, rule)
          if (told === null) return
          if (isLost) presence.restate()
          else for (const view of views) view.take(JSON.parse(told))
        }
        watch()
        for (const each of steps) {
          switch (each.do) {
            case 'enter': {
              const member = truth.get(each.id) ?? { threads: new Set(), data: null }
              member.threads.add(each.thread)
              member.data = each.data
              truth.set(each.id, member)
              presence.enter(each.thread, shown(each.id, each.data))
              break
            }
            case 'leave':
              leave(each.id, each.thread)
              presence.leave(each.thread, each.id, now)
              break
            case 'end':
              for (const id of IDS) leave(id, each.thread)
              presence.end(each.thread, now)
              break
            case 'take':
              now += each.after
              take(false)
              break
            case 'lose':
              take(true)
              break
            case 'watch':
              // A state is not asked for while the change before it may be lost.
              take(false)
              watch()
          }
          equal(presence.count, truth.size)
          equal((JSON.parse(presence.snapshot(rule)) as { count: number }).count, truth.size)
        }
        now += 200
        take(false)
        equal(presence.isTold, true)
        equal(presence.isEmpty, truth.size === 0)
        const members = new Map([...truth].map(([id, { data }]) => [id, data ?? undefined]))
        for (const view of views) {
          equal(view.count, truth.size)
          if (view.members !== null) deepEqual(view.members, members)
        }
        if (truth.size <= maxMembers * 0.9) for (const { members: known } of views) deepEqual(known, members)
      }
    )
  )
})
