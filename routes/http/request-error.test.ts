import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyReply } from 'fastify'
import { ScherzoError } from '../../core/errors.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { refusalFor } from './request-error.ts'

/** The status of an answer, and when to try again. */
function answerTo(code: ErrorCode, values: (string | number)[] = []): unknown[] {
  const headers: unknown[] = []
  const reply = {
    header: (name: string, value: unknown) => headers.push(name, value)
  } as unknown as FastifyReply
  const { statusCode, code: told } = refusalFor(new ScherzoError(code, values), reply) as ScherzoError
  equal(told, code)
  return [statusCode, ...headers]
}

test('what may be tried again says when', () => {
  deepEqual(answerTo('SCZ_ERR_BUS_OVERLOAD', [7]), [503, 'retry-after', 1])
  deepEqual(answerTo('SCZ_ERR_BUS_CLOSED'), [503, 'retry-after', 1])
  deepEqual(answerTo('SCZ_ERR_CLOSED', ['read the history']), [503, 'retry-after', 1])
  deepEqual(answerTo('SCZ_ERR_HTTP_RATE', [10, 4]), [429, 'retry-after', 4])
})

test('what is the fault of the app stays so, and what is no error of Scherzo stays as it is', () => {
  deepEqual(answerTo('SCZ_ERR_HUB_KEY', ['ticks', 'number']), [null])
  deepEqual(answerTo('SCZ_ERR_BUS_MESSAGE_SIZE', [2, 1]), [413])
  const error = new Error('out of tea')
  equal(refusalFor(error, {} as FastifyReply), error)
})
