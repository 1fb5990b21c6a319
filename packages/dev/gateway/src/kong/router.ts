import type { IncomingHttpHeaders } from 'node:http'
import { escapePath, normalizePath } from './path.ts'
import type { KongAnsweredRoute, KongDocument, KongRoute, KongService, KongTermination } from './schema.ts'

/** Where a request goes. */
export type Destination =
  | {
      kind: 'proxy'
      name: string
      service: KongService
      route: KongRoute
      upstreamPath: string
      path: string
    }
  | { kind: 'answer'; name: string; answer: KongTermination; path: string }

interface Candidate {
  readonly path: string
  readonly pattern: RegExp | null
  /** What the Authorization header must look like. */
  readonly authorization: RegExp | null
  readonly priority: number
  readonly service: KongService | null
  readonly route: KongRoute | KongAnsweredRoute
}

export type Router = (rawPath: string, headers: IncomingHttpHeaders) => Destination | null

/**
 * Routes the way Kong does: patterns by their priority first, then prefixes, the longest first; among those with
 * the same path, the one that asks for a header first.
 */
export function createRouter(document: KongDocument): Router {
  const candidates = [
    ...document.services.flatMap((service) =>
      service.routes.flatMap((route) => candidatesOf(route, service)),
    ),
    ...document.routes.flatMap((route) => candidatesOf(route, null)),
  ].sort(byPrecedence)
  return (rawPath, { authorization = '' }) => {
    const path = normalizePath(rawPath)
    for (const candidate of candidates) {
      if (candidate.authorization && !candidate.authorization.test(authorization)) continue
      const matched = matchedPart(candidate, path)
      if (matched !== null) return destinationOf(candidate, path, matched)
    }
    return null
  }
}

function candidatesOf(route: KongRoute | KongAnsweredRoute, service: KongService | null): Candidate[] {
  return route.paths.map((path) => ({
    path,
    pattern: path.startsWith('~') ? new RegExp(`^${path.slice(1)}`) : null,
    authorization: authorizationOf(route),
    priority: route.regex_priority,
    service,
    route,
  }))
}

function authorizationOf(route: KongRoute | KongAnsweredRoute): RegExp | null {
  const pattern = route.headers?.authorization[0]
  return pattern ? new RegExp(pattern.slice('~*'.length), 'i') : null
}

function byPrecedence(a: Candidate, b: Candidate): number {
  if ((a.authorization === null) !== (b.authorization === null)) return a.authorization === null ? 1 : -1
  if ((a.pattern === null) !== (b.pattern === null)) return a.pattern === null ? 1 : -1
  return b.priority - a.priority || b.path.length - a.path.length
}

function matchedPart({ pattern, path: prefix }: Candidate, path: string): string | null {
  if (pattern === null) return path.startsWith(prefix) ? prefix : null
  return pattern.exec(path)?.[0] ?? null
}

function destinationOf({ route, service }: Candidate, path: string, matched: string): Destination {
  if (service === null) {
    return { kind: 'answer', name: route.name, answer: (route as KongAnsweredRoute).plugins[0].config, path }
  }
  const proxied = route as KongRoute
  const rest = proxied.strip_path ? path.slice(matched.length) : path
  const upstreamPath = escapePath(joinPaths(service.path, rest, path.endsWith('/')))
  return { kind: 'proxy', name: route.name, service, route: proxied, upstreamPath, path }
}

/** A service's path and what is left of the request's, with exactly one slash between them. */
function joinPaths(base: string, rest: string, wasFolder: boolean): string {
  const root = base.replace(/\/$/, '')
  if (rest === '') return wasFolder || root === '' ? `${root}/` : root
  return rest.startsWith('/') ? root + rest : `${root}/${rest}`
}
