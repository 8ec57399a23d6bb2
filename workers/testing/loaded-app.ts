import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { RouteRow } from '../../routes/mount.ts'
import { loadApp } from '../app.ts'

/** An app that listens in this process. */
export interface LoadedApp {
  readonly fastify: FastifyInstance
  readonly server: Server
  readonly port: number
  readonly routes: readonly RouteRow[]
}

/** @param file relative to this folder */
export async function listenHere(file: string, fastLane = true): Promise<LoadedApp> {
  const { fastify, routes } = await loadApp(fileURLToPath(new URL(file, import.meta.url)), { fastLane })
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  return {
    fastify,
    server: fastify.server as Server,
    port: (fastify.server.address() as AddressInfo).port,
    routes
  }
}
