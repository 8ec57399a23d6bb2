import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StaticRoute } from './fast-route.ts'
import { readOptions } from './fast-options.ts'
import { FastTable } from './table.ts'

test('finds a route by its method and exact path only', () => {
  const table = new FastTable()
  const route = routeOf('/json')
  assert.equal(table.size, 0)
  table.add('GET', '/json', route)
  assert.equal(table.size, 1)
  assert.equal(table.find('GET /json'), route)
  for (const start of [
    'HEAD /json',
    'get /json',
    'GET /JSON',
    'GET /json/',
    'GET /jso',
    'GET  /json',
    '/json',
    ''
  ]) {
    assert.equal(table.find(start), null, start)
  }
})

test('keeps the methods and paths of different routes apart', () => {
  const table = new FastTable()
  const [a, b, c] = [routeOf('/a'), routeOf('/a'), routeOf('/')]
  table.add('GET', '/a', a)
  table.add('OPTIONS', '/a', b)
  table.add('GET', '/', c)
  assert.equal(table.size, 3)
  assert.deepEqual([table.find('GET /a'), table.find('OPTIONS /a'), table.find('GET /')], [a, b, c])
})

test('has no route by the names of object properties', () => {
  const table = new FastTable()
  for (const start of ['constructor', '__proto__', 'toString']) assert.equal(table.find(start), null)
})

function routeOf(path: string): StaticRoute {
  return new StaticRoute(path, readOptions(path, {}, 'text/plain', []), 200, Buffer.from(path))
}
