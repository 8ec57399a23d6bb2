import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { once } from 'node:events'
import { generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { JWK } from 'jose'
import type { ScherzoError } from '../../core/errors.ts'
import {
  SECRET,
  ec,
  hmacToken,
  inSeconds,
  rsa,
  signedToken,
  unsignedToken
} from '../websocket/testing/tokens.ts'
import type { TokenAuthenticator } from '../websocket/identity.ts'
import { MAX_TOKEN_LENGTH, jwt } from './jwt.ts'
import type { JwtOptions } from './options.ts'

const rsaPem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }))
const ann = { sub: 'ann' }

function jwkOf(key: KeyObject, kid: string): JWK {
  return { ...(key.export({ format: 'jwk' }) as JWK), kid }
}

/** Finds the token of a request that has only this. */
function authenticate(authenticator: TokenAuthenticator, request: object): Promise<unknown> {
  return authenticator.authenticate({ url: '/', headers: {}, ...request } as never)
}

test('a token of each algorithm gives its identity, expiry and claims', async () => {
  const exp = inSeconds(60)
  const claims = { sub: 'ann', exp }
  const expected = { id: 'ann', expires: exp, data: claims }
  deepEqual(await jwt({ secret: SECRET }).verify(hmacToken(claims)), expected)
  deepEqual(await jwt({ publicKey: rsaPem }).verify(signedToken('RS256', claims)), expected)
  const key = jwkOf(ec.publicKey, 'e')
  deepEqual(await jwt({ publicKey: key }).verify(signedToken('ES256', claims)), expected)
  const jwks = { keys: [key, jwkOf(rsa.publicKey, 'r')] }
  deepEqual(await jwt({ jwks }).verify(signedToken('RS256', claims, rsa.privateKey, 'r')), expected)
})

test('the id and the data come from the claims that the options name', async () => {
  const authenticator = jwt({ secret: SECRET, idClaim: 'user', data: ({ role }) => role })
  deepEqual(await authenticator.verify(hmacToken({ user: 'ann', role: 'admin' })), {
    id: 'ann',
    data: 'admin'
  })
  await rejects(authenticator.verify(hmacToken(ann)), { message: 'ERR_JWT_CLAIM_VALIDATION_FAILED (user)' })
  await rejects(authenticator.verify(hmacToken({ user: 7 })), { message: 'its claim "user" is no string' })
})

const past = inSeconds(-30)
const future = inSeconds(30)
const demanding: JwtOptions = { secret: SECRET, issuer: ['me', 'you'], audience: 'us' }
const refused: readonly (readonly [string, JwtOptions, string, string])[] = [
  ['garbage', { secret: SECRET }, 'garbage', 'ERR_JWS_INVALID'],
  ['nothing', { secret: SECRET }, '', 'ERR_JWS_INVALID'],
  ['three parts of garbage', { secret: SECRET }, 'a.b.c', 'ERR_JWS_INVALID'],
  [
    'too many characters',
    { secret: SECRET },
    hmacToken({ ...ann, pad: 'x'.repeat(MAX_TOKEN_LENGTH) }),
    'it has more than 8192 characters'
  ],
  ['an expiry in the past', { secret: SECRET }, hmacToken({ ...ann, exp: past }), 'ERR_JWT_EXPIRED (exp)'],
  [
    'a beginning in the future',
    { secret: SECRET },
    hmacToken({ ...ann, nbf: future }),
    'ERR_JWT_CLAIM_VALIDATION_FAILED (nbf)'
  ],
  ['no sub', { secret: SECRET }, hmacToken({}), 'ERR_JWT_CLAIM_VALIDATION_FAILED (sub)'],
  [
    'another secret',
    { secret: SECRET },
    hmacToken(ann, `${SECRET}!`),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
  ],
  [
    'another claim than was signed',
    { secret: SECRET },
    changed(hmacToken(ann)),
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
  ],
  ['alg none, for a secret', { secret: SECRET }, unsignedToken(ann), 'ERR_JOSE_ALG_NOT_ALLOWED'],
  ['alg none, for a public key', { publicKey: rsaPem }, unsignedToken(ann), 'ERR_JOSE_ALG_NOT_ALLOWED'],
  [
    'HS256 with the public key as its secret',
    { publicKey: rsaPem },
    hmacToken(ann, rsaPem),
    'ERR_JOSE_ALG_NOT_ALLOWED'
  ],
  [
    'HS256 with a public key of a set',
    { jwks: { keys: [jwkOf(rsa.publicKey, 'r')] } },
    hmacToken(ann, rsaPem, { kid: 'r' }),
    'ERR_JOSE_ALG_NOT_ALLOWED'
  ],
  [
    'an algorithm that is not on the list',
    { jwks: { keys: [jwkOf(ec.publicKey, 'e')] }, algorithms: ['RS256'] },
    signedToken('ES256', ann, ec.privateKey, 'e'),
    'ERR_JOSE_ALG_NOT_ALLOWED'
  ],
  [
    'a key that the set does not have',
    { jwks: { keys: [jwkOf(rsa.publicKey, 'r')] } },
    signedToken('RS256', ann, rsa.privateKey, 'x'),
    'ERR_JWKS_NO_MATCHING_KEY'
  ],
  [
    'another issuer',
    demanding,
    hmacToken({ ...ann, iss: 'him', aud: 'us' }),
    'ERR_JWT_CLAIM_VALIDATION_FAILED (iss)'
  ],
  [
    'another audience',
    demanding,
    hmacToken({ ...ann, iss: 'me', aud: 'them' }),
    'ERR_JWT_CLAIM_VALIDATION_FAILED (aud)'
  ],
  [
    'a critical extension',
    { secret: SECRET },
    hmacToken(ann, SECRET, { crit: ['x'], x: 1 }),
    'ERR_JOSE_NOT_SUPPORTED'
  ]
]

for (const [name, options, token, message] of refused) {
  test(`a token with ${name} is refused, with a reason that does not have it`, async () => {
    await rejects(jwt(options).verify(token), { message })
  })
}

test('the tolerance for clocks lets in what has just expired, and lets it stay as long', async () => {
  const exp = inSeconds(-30)
  const identity = await jwt({ secret: SECRET, clockTolerance: 60 }).verify(hmacToken({ ...ann, exp }))
  equal(identity.expires, exp + 60)
})

test('a token is found in the header, a cookie and the query, in the order of the options', async () => {
  const authenticator = jwt({ secret: SECRET, from: [{ query: 'token' }, { cookie: 'sid' }, 'header'] })
  const [first, second, third] = ['a', 'b', 'c'].map((sub) => hmacToken({ sub }))
  const header = { authorization: `bearer ${third}` }
  const both = { ...header, cookie: `x=1; sid="${second}"; y` }
  const idOf = async (request: object): Promise<unknown> =>
    ((await authenticate(authenticator, request)) as { id?: string } | null)?.id
  equal(await idOf({ url: `/?x=1&token=${first}`, headers: both }), 'a')
  equal(await idOf({ headers: both }), 'b')
  equal(await idOf({ headers: header }), 'c')
  equal(await authenticate(authenticator, { headers: { authorization: 'Basic YTpi' } }), null)
  await rejects(authenticate(authenticator, { url: '/?token=x', headers: both }))
  equal(authenticator.messageTimeout, null)
  equal(jwt({ secret: SECRET, from: ['message'] }).messageTimeout, 10)
})

test('options that make no sense, or do not go with the key, are refused', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
  const wrong: readonly (readonly [string, object])[] = [
    ['secret', {}],
    ['secret', { secret: 'x'.repeat(31) }],
    ['secret', { secret: rsaPem }],
    ['publicKey', { secret: SECRET, publicKey: rsaPem }],
    ['publicKey', { publicKey: 'no key' }],
    ['publicKey', { publicKey: { kty: 'oct', k: 'AAAA' } }],
    ['publicKey', { publicKey: small.export({ type: 'spki', format: 'pem' }) }],
    ['publicKey', { publicKey: curve.export({ format: 'jwk' }) }],
    ['jwks', { jwks: 'file:///etc/passwd' }],
    ['jwks', { jwks: { keys: 7 } }],
    ['algorithms', { publicKey: rsaPem, algorithms: ['HS256'] }],
    ['algorithms', { secret: SECRET, algorithms: ['RS256'] }],
    ['algorithms', { secret: SECRET, algorithms: ['none'] }],
    ['from', { secret: SECRET, from: [{ cookie: 'a', query: 'b' }] }],
    ['messageTimeout', { secret: SECRET, messageTimeout: 0 }],
    ['sub', { secret: SECRET, sub: 'x' }]
  ]
  for (const [name, options] of wrong)
    throws(
      () => jwt(options as JwtOptions),
      (error: ScherzoError) => error.code === 'SCZ_ERR_IDENTITY_OPTION' && error.values[0] === name,
      JSON.stringify(options)
    )
})

test('a set of keys is fetched once, again for an unknown key, and not again for the next', async (context) => {
  const next = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const set = await serveKeys(context)
  set.keys = [jwkOf(ec.publicKey, 'old')]
  const authenticator = jwt({ jwks: set.url, jwksCooldown: 1 })
  const old = signedToken('ES256', ann, ec.privateKey, 'old')
  await Promise.all([authenticator.verify(old), authenticator.verify(old)])
  await authenticator.verify(old)
  equal(set.requests, 1)

  const rotated = signedToken('ES256', ann, next.privateKey, 'new')
  set.keys = [jwkOf(next.publicKey, 'new')]
  await rejects(authenticator.verify(rotated), { message: 'ERR_JWKS_NO_MATCHING_KEY' })
  equal(set.requests, 1)
  context.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2000 })
  equal((await authenticator.verify(rotated)).id, 'ann')
  equal(set.requests, 2)
  await rejects(authenticator.verify(old), { message: 'ERR_JWKS_NO_MATCHING_KEY' })
  equal(set.requests, 2)
})

test('keys that can not be fetched are no fault of the token, and are not asked for with every token', async (context) => {
  const set = await serveKeys(context)
  set.status = 500
  const authenticator = jwt({ jwks: set.url })
  for (let round = 0; round < 3; round++)
    await rejects(authenticator.verify(signedToken('ES256', ann)), { code: 'SCZ_ERR_IDENTITY_UNAVAILABLE' })
  equal(set.requests, 1)
})

interface KeyServer {
  readonly url: string
  keys: JWK[]
  status: number
  requests: number
}

async function serveKeys(context: TestContext): Promise<KeyServer> {
  const server = createServer((_request, response) => {
    set.requests++
    response.writeHead(set.status).end(JSON.stringify({ keys: set.keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const set: KeyServer = { url: `http://127.0.0.1:${port}/jwks.json`, keys: [], status: 200, requests: 0 }
  return set
}

function changed(token: string): string {
  const [header, , signature] = token.split('.')
  return [header, Buffer.from('{"sub":"bob"}').toString('base64url'), signature].join('.')
}
