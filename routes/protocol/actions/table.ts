import { ScherzoError } from '../../../core/errors.ts'
import type { Fields } from '../request.ts'
import type { Action, Job } from './action.ts'
import { authenticate } from './authenticate.ts'
import { history } from './history.ts'
import { ping } from './ping.ts'
import { presence } from './presence.ts'
import { publish } from './publish.ts'
import { renew } from './renew.ts'
import { subscribe } from './subscribe.ts'
import { unsubscribe } from './unsubscribe.ts'

/** What a client can ask for, by the name of its action. */
const actions: ReadonlyMap<unknown, Action> = new Map([
  ['subscribe', subscribe],
  ['unsubscribe', unsubscribe],
  ['publish', publish],
  ['history', history],
  ['presence', presence],
  ['renew', renew],
  ['ping', ping],
  ['authenticate', authenticate]
])

/** @throws SCZ_ERR_PROTOCOL_ACTION, and what the action throws */
export function readJob(fields: Fields): Job {
  const action = actions.get(fields['action'])
  if (action === undefined)
    throw new ScherzoError('SCZ_ERR_PROTOCOL_ACTION', [[...actions.keys()].join(', ')])
  return action(fields)
}
