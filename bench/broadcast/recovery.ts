import type { Case } from '../harness/case.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import { describe } from '../harness/processes.ts'
import { measureRecovery, type RecoveryLoad } from '../harness/recovery.ts'
import { subscribersCommand } from '../harness/subscribers.ts'
import { plaintextAnswer } from '../http/answers.ts'
import { SCHERZO, scherzoWith } from '../peers/broadcasters.ts'
import { recoveryColumns, recoveryCompared } from './columns.ts'
import { AT_A_TIME } from './fan-out-case.ts'

export const RECOVERY_SUBSCRIBERS = 10_000
const RATE = 20
/** Long enough for 100 messages. */
const AWAY_SECONDS = 5
const RETURN_SECONDS = 5
const REQUESTS_PER_SECOND = 200

export function recoveryCase(): Case {
  const { path, body } = plaintextAnswer
  const load: RecoveryLoad = {
    protocol: 'scherzo.v1',
    subscribers: RECOVERY_SUBSCRIBERS,
    channels: 1,
    atATime: AT_A_TIME,
    observation: 'none',
    rate: RATE,
    awaySeconds: AWAY_SECONDS,
    returnSeconds: RETURN_SECONDS,
    requests: { path, body, perSecond: REQUESTS_PER_SECOND }
  }
  return {
    name: `Recovery, ${RECOVERY_SUBSCRIBERS} subscribers leave at once and come back within ${RETURN_SECONDS} s, ${RATE * AWAY_SECONDS} messages later`,
    load: `taskset -c ${LOAD_CORE} ${describe(subscribersCommand(load, 'PORT'))}; ${RATE} messages/s; GET ${path} ${REQUESTS_PER_SECOND} times a second`,
    answers: [plaintextAnswer],
    servers: [scherzoWith('broadcast-recovery', SCHERZO, load.protocol)],
    columns: recoveryColumns,
    compared: recoveryCompared,
    measure: (server) => measureRecovery(server, load)
  }
}
