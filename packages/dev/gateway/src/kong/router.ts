import type { IncomingHttpHeaders } from 'node:http'
import { escapePath, normalizePath } from './path.ts'
import type { KongAnsweredRoute, KongDocument, KongRoute, KongService, KongTermination } from './schema.ts'

/** The destination of a request. */
export type Destination =
  | {
      kind: 'proxy'
      name: string
      service: KongService
      route: KongRoute
      upstreamPath: string
      path: string
    }
  | { kind: 'termination'; name: string; termination: KongTermination; path: string }

interface Candidate {
  readonly path: string
  readonly pattern: RegExp | null
  /** Pattern of the required Authorization header. */
  readonly authorization: RegExp | null
  readonly priority: number
  readonly service: KongService | null
  readonly route: KongRoute | KongAnsweredRoute
}

export type Router = (rawPath: string, headers: IncomingHttpHeaders) => Destination | null

/**
 * Creates a router with Kong's rules: regular expressions by priority first, then prefixes, longest first;
 * among equal paths, the one that requires a header first.
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
    return {
      kind: 'termination',
      name: route.name,
      termination: (route as KongAnsweredRoute).plugins[0].config,
      path,
    }
  }
  const proxied = route as KongRoute
  const rest = proxied.strip_path ? path.slice(matched.length) : path
  const upstreamPath = escapePath(joinPaths(service.path, rest, path.endsWith('/')))
  return { kind: 'proxy', name: route.name, service, route: proxied, upstreamPath, path }
}

/** Joins a service's path and the rest of the request's with exactly one slash. */
function joinPaths(base: string, rest: string, wasFolder: boolean): string {
  const root = base.replace(/\/$/, '')
  if (rest === '') return wasFolder || root === '' ? `${root}/` : root
  return rest.startsWith('/') ? root + rest : `${root}/${rest}`
}
