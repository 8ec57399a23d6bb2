import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { isAllowedHost } from './allowed-host.ts'

const ALLOWED = [
  '127.0.0.1',
  '127.0.0.1:9000',
  '192.0.2.7:80',
  '[::1]',
  '[::1]:9000',
  '[2001:db8::1]:9000',
  'localhost',
  'LocalHost:9000',
  'admin.example:9000',
  'Admin.Example'
]

const REFUSED = [
  'evil.example',
  'evil.example:9000',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'admin.example.evil.example',
  'evil.example:9000:9000',
  '[evil.example]',
  '[127.0.0.1]',
  '[::1',
  '::1',
  '2130706433',
  '127.1',
  ':9000',
  ' ',
  ''
]

for (const host of ALLOWED) {
  test(`"${host}" is a host that the admin server answers for`, () =>
    equal(isAllowedHost(host, 'admin.example'), true))
}

for (const host of REFUSED) {
  test(`"${host}" is not a host that the admin server answers for`, () =>
    equal(isAllowedHost(host, 'admin.example'), false))
}

test('a request without a Host comes from no browser', () =>
  equal(isAllowedHost(undefined, '127.0.0.1'), true))

test('an IPv6 address that was configured is no name', () => equal(isAllowedHost('::1', '::1'), false))
