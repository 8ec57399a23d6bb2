import { equal, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { commentText, eventText, lastEventId } from './server-sent-event.ts'

test('an event is its fields and an empty line', () => {
  equal(eventText({ data: 'a' }), 'data: a\n\n')
  equal(
    eventText({ data: '{"a":1}', event: 'now', id: '7-12', retry: 1000 }),
    'event: now\nid: 7-12\nretry: 1000\ndata: {"a":1}\n\n'
  )
})

test('data of several lines is as many fields, whichever its line breaks are', () => {
  equal(eventText({ data: 'a\nb\r\nc\rd' }), 'data: a\ndata: b\ndata: c\ndata: d\n\n')
  equal(eventText({ data: '' }), 'data: \n\n')
  equal(eventText({ data: '\n' }), 'data: \ndata: \n\n')
})

test('a blank at the start of the data is not the one that clients take away', () => {
  equal(eventText({ data: ' a' }), 'data:  a\n\n')
})

test('a name or an id can not begin another field', () => {
  for (const wrong of ['a\nb', 'a\rb', 'a\0b']) {
    throws(() => eventText({ data: '', event: wrong }), RangeError)
    throws(() => eventText({ data: '', id: wrong }), RangeError)
  }
})

test('an empty id is sent: it makes the client forget the one before', () => {
  equal(eventText({ data: 'a', id: '' }), 'id: \ndata: a\n\n')
})

test('a comment is a field without a name on every line', () => {
  equal(commentText(), ': \n\n')
  equal(commentText('a\nb'), ': a\n: b\n\n')
})

test('Last-Event-ID is read as UTF-8, and an empty or doubled one as none', () => {
  equal(lastEventId('7-12'), '7-12')
  equal(lastEventId('Ã¼'), 'ü')
  equal(lastEventId(undefined), null)
  equal(lastEventId(''), null)
  equal(lastEventId(['1', '2']), null)
})
