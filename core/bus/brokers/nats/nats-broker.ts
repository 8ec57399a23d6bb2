import type { Broker } from '../../broker.ts'

export const NatsBroker = null as unknown as new (...args: readonly unknown[]) => Broker
