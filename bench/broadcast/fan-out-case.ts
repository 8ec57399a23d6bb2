import type { Case } from '../harness/case.ts'
import { LOAD_CORE } from '../harness/cores.ts'
import { type FanOutLoad, measureFanOut } from '../harness/fan-out.ts'
import { describe } from '../harness/processes.ts'
import type { RunningServer } from '../harness/server.ts'
import { subscribersCommand } from '../harness/subscribers.ts'
import { plaintextAnswer } from '../http/answers.ts'
import type { Broadcaster } from '../peers/broadcasters.ts'
import type { BroadcastOptions } from './options.ts'
import { orderQuery, PUBLISH_PATH } from './publisher.ts'

/** As many handshakes as every server's listen queue holds. */
export const AT_A_TIME = 128

type LoadOptions = Pick<BroadcastOptions, 'warmUp' | 'seconds' | 'turn'>

/** As many messages on one channel as backpressure allows, unless a case says otherwise. */
export function loadOf({ warmUp, seconds, turn }: LoadOptions): Omit<FanOutLoad, 'subscribers'> {
  return {
    protocol: 'websocket',
    channels: 1,
    atATime: AT_A_TIME,
    rate: null,
    turn,
    observation: 'none',
    warmUpSeconds: warmUp,
    seconds
  }
}

export function fanOutCase(
  servers: readonly Broadcaster[],
  load: FanOutLoad
): Pick<Case, 'load' | 'answers' | 'servers' | 'measure'> {
  const protocols = new Map(servers.map(({ name, protocol }) => [name, protocol]))
  return {
    load: describeFanOut(load),
    answers: [plaintextAnswer],
    servers,
    measure: (server: RunningServer) =>
      measureFanOut(server, { ...load, protocol: protocols.get(server.name) ?? load.protocol })
  }
}

/** The load as it would be typed. */
export function describeFanOut(load: FanOutLoad): string {
  return `taskset -c ${LOAD_CORE} ${describe(subscribersCommand(load, 'PORT'))}; POST ${PUBLISH_PATH}${orderQuery(load)}`
}
