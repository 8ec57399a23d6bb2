import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHost } from './host.ts'

test('takes names and addresses, with and without a port', () => {
  for (const value of [
    'localhost',
    'example.com',
    'EXAMPLE.com.',
    'a_b-c~d',
    "!$&'()*+;=",
    'a%41b',
    'xn--bcher-kva.example',
    '127.0.0.1',
    '[::1]',
    '[2001:db8::ff00:42:8329]',
    '[::ffff:192.0.2.1]',
    '[v1.fe:d]',
    'a:0',
    'a:80',
    'a:65535',
    'a:',
    '127.0.0.1:8080',
    '[::1]:3000'
  ]) {
    assert.equal(isHost(value), true, JSON.stringify(value))
  }
})

test('refuses what is no host: lists, blanks, userinfo, paths, half brackets, broken escapes and ports', () => {
  for (const value of [
    '',
    ':',
    ':80',
    'a, b',
    'a,b',
    'a b',
    ' a',
    'a ',
    'a\t',
    'a\n',
    'user@a',
    'user:pass@a',
    'a/b',
    'http://a',
    'a?b',
    'a#b',
    'a\\b',
    'a|b',
    '"a"',
    '<a>',
    'a^',
    'a`',
    '{a}',
    'ä',
    'a\x00',
    'a%',
    'a%4',
    'a%4g',
    'a:80:80',
    'a:-1',
    'a:+1',
    'a:8o',
    'a: 80',
    'a:123456',
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[::1]a',
    'a[::1]',
    '[g::1]',
    '[v.a]',
    '[v1.]',
    '[::1]]'
  ]) {
    assert.equal(isHost(value), false, JSON.stringify(value))
  }
})
