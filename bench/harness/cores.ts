/** The server has a core to itself and the load generator another, so neither is measured by the other's scheduling. */
export const SERVER_CORE = 0
export const LOAD_CORE = 1
