import type { DubbedToken, PracticeToken, ScriptSummary } from '@bigtech/contracts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'

const withTokens = { tokens: { orderBy: { position: 'asc' }, include: { actor: true } } } as const
type ScriptRow = Prisma.ScriptGetPayload<{ include: typeof withTokens }>
const withActor = { actor: true } as const
type TokenRow = Prisma.ScriptTokenGetPayload<{ include: typeof withActor }>

/** A script as seeded. */
export interface SeedScript {
  readonly slug: string
  readonly title: string
  readonly description: string
  readonly language: string
  readonly tokens: readonly {
    readonly actor: string
    readonly text: string
    readonly startMs: number
    readonly endMs: number
    readonly clipKey: string
  }[]
}

interface DubbedRow {
  readonly token_id: number | bigint
  readonly attempts: bigint
  readonly pronunciation: unknown
  readonly intonation: unknown
  readonly emotion: unknown
  readonly overall: unknown
  readonly last_at: Date
  readonly last_id: string
}

export interface Overview {
  readonly practices: number
  readonly tokens: number
  readonly bookmarks: number
  readonly average: DubbedToken['best'] | null
  readonly best: number | null
  readonly lastAt: Date | null
}

/** Scripts, their tokens, and users' bookmarks and practice. */
export class ScriptRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Returns scripts newest first. */
  async list(
    limit: number,
    { beforeId, language }: { beforeId: number | undefined; language: string | undefined },
  ): Promise<ScriptSummary[]> {
    const where = { ...(beforeId ? { id: { lt: beforeId } } : {}), ...(language ? { language } : {}) }
    const rows = await this.#mysql.run('listScripts', (db) =>
      db.script.findMany({ where, orderBy: { id: 'desc' }, take: limit, include: withTokens }),
    )
    return rows.map(summaryOf)
  }

  async popular(limit: number): Promise<ScriptSummary[]> {
    const rows = await this.#mysql.run('popularScripts', (db) =>
      db.script.findMany({
        orderBy: [{ practiceCount: 'desc' }, { id: 'desc' }],
        take: limit,
        include: withTokens,
      }),
    )
    return rows.map(summaryOf)
  }

  async find(
    id: number,
    viewerId: number,
  ): Promise<(ScriptSummary & { tokens: PracticeToken[] }) | undefined> {
    const row = await this.#mysql.run('findScript', (db) =>
      db.script.findUnique({ where: { id }, include: withTokens }),
    )
    if (!row) return undefined
    const marked = await this.#bookmarked(
      viewerId,
      row.tokens.map((token) => token.id),
    )
    return { ...summaryOf(row), tokens: row.tokens.map((token) => tokenView(token, marked.has(token.id))) }
  }

  /** Returns the key of the reference clip; undefined for an unknown token. */
  async clipKey(tokenId: number): Promise<string | undefined> {
    const row = await this.#mysql.run('findToken', (db) =>
      db.scriptToken.findUnique({ where: { id: tokenId }, select: { clipKey: true } }),
    )
    return row?.clipKey
  }

  /** Bookmarks a token, keeping an earlier date. Returns false for an unknown token. */
  async bookmark(ownerId: number, tokenId: number): Promise<boolean> {
    return this.#mysql.transaction('addBookmark', async (tx) => {
      if ((await tx.scriptToken.count({ where: { id: tokenId } })) === 0) return false
      await tx.bookmark.createMany({
        data: { ownerId, tokenId, createdAt: new Date() },
        skipDuplicates: true,
      })
      return true
    })
  }

  async removeBookmark(ownerId: number, tokenId: number): Promise<void> {
    await this.#mysql.run('removeBookmark', (db) => db.bookmark.deleteMany({ where: { ownerId, tokenId } }))
  }

  /** Returns bookmarks newest first, all by default. @param after the last item of the previous page */
  async listBookmarks(ownerId: number, limit?: number, after?: { createdAt: Date; tokenId: number }) {
    const rows = await this.#mysql.run('listBookmarks', (db) =>
      db.bookmark.findMany({
        where: {
          ownerId,
          ...(after
            ? {
                OR: [
                  { createdAt: { lt: after.createdAt } },
                  { createdAt: after.createdAt, tokenId: { lt: after.tokenId } },
                ],
              }
            : {}),
        },
        orderBy: [{ createdAt: 'desc' }, { tokenId: 'desc' }],
        ...(limit === undefined ? {} : { take: limit }),
        include: { token: { include: withActor } },
      }),
    )
    return rows.map(({ token, tokenId, createdAt }) => ({
      token: tokenView(token, true),
      tokenId,
      createdAt,
    }))
  }

  /** Returns practiced tokens, most recent first. @param after the last item of the previous page */
  async listDubbed(
    ownerId: number,
    limit: number,
    after?: { at: Date; tokenId: number },
  ): Promise<(DubbedToken & { tokenId: number; at: Date })[]> {
    // Raw: grouped, with the newest row of each group, and paged by group.
    const rows = await this.#mysql.run('listDubbed', (db) => {
      const page = after
        ? Prisma.sql`HAVING last_at < ${after.at} OR (last_at = ${after.at} AND token_id < ${after.tokenId})`
        : Prisma.empty
      return db.$queryRaw<DubbedRow[]>`
        SELECT token_id, COUNT(*) AS attempts, MAX(pronunciation) AS pronunciation, MAX(intonation) AS intonation,
          MAX(emotion) AS emotion, MAX(overall) AS overall, MAX(finished_at) AS last_at,
          SUBSTRING_INDEX(GROUP_CONCAT(id ORDER BY finished_at DESC, id DESC), ',', 1) AS last_id
        FROM takes WHERE owner_id = ${ownerId} AND state = 'succeeded'
        GROUP BY token_id ${page} ORDER BY last_at DESC, token_id DESC LIMIT ${limit}`
    })
    const ids = rows.map((row) => Number(row.token_id))
    const [tokens, marked] = await Promise.all([this.#tokens(ids), this.#bookmarked(ownerId, ids)])
    return rows.map((row) => {
      const tokenId = Number(row.token_id)
      return {
        token: tokenView(tokens.get(tokenId)!, marked.has(tokenId)),
        attempts: Number(row.attempts),
        best: scoresOf(row),
        last_job_id: row.last_id,
        last_practiced_at: row.last_at.toISOString(),
        tokenId,
        at: row.last_at,
      }
    })
  }

  async overview(ownerId: number): Promise<Overview> {
    return this.#mysql.run('practiceOverview', async (db) => {
      const where = { ownerId, state: 'succeeded' }
      const { _count, _avg, _max } = await db.take.aggregate({
        where,
        _count: true,
        _avg: { pronunciation: true, intonation: true, emotion: true, overall: true },
        _max: { overall: true, finishedAt: true },
      })
      const tokens = await db.take.groupBy({ by: ['tokenId'], where })
      const bookmarks = await db.bookmark.count({ where: { ownerId } })
      return {
        practices: _count,
        tokens: tokens.length,
        bookmarks,
        average: _count === 0 ? null : scoresOf(_avg),
        best: _max.overall === null ? null : Number(_max.overall),
        lastAt: _max.finishedAt,
      }
    })
  }

  /** Returns the texts of a script's tokens in order; empty for an unknown script. */
  async textsOf(slug: string): Promise<string[]> {
    const rows = await this.#mysql.run('textsOfScript', (db) =>
      db.scriptToken.findMany({
        where: { script: { slug } },
        orderBy: { position: 'asc' },
        select: { text: true },
      }),
    )
    return rows.map(({ text }) => text)
  }

  /** Adds or replaces a script. Tokens keep their ids by position; tokens beyond the last position stay. */
  async seed({ tokens, ...script }: SeedScript): Promise<void> {
    await this.#mysql.transaction('seedScript', async (tx) => {
      const { id: scriptId } = await tx.script.upsert({
        where: { slug: script.slug },
        create: { ...script, createdAt: new Date() },
        update: script,
      })
      for (const [index, { actor: name, ...token }] of tokens.entries()) {
        const actor = await tx.actor.upsert({ where: { name }, create: { name }, update: {} })
        const position = index + 1
        await tx.scriptToken.upsert({
          where: { scriptId_position: { scriptId, position } },
          create: { ...token, scriptId, position, actorId: actor.id },
          update: { ...token, actorId: actor.id },
        })
      }
    })
  }

  async #tokens(ids: readonly number[]): Promise<Map<number, TokenRow>> {
    const rows = await this.#mysql.run('findTokens', (db) =>
      db.scriptToken.findMany({ where: { id: { in: [...ids] } }, include: withActor }),
    )
    return new Map(rows.map((row) => [row.id, row]))
  }

  async #bookmarked(ownerId: number, tokenIds: readonly number[]): Promise<Set<number>> {
    const rows = await this.#mysql.run('findBookmarks', (db) =>
      db.bookmark.findMany({ where: { ownerId, tokenId: { in: [...tokenIds] } }, select: { tokenId: true } }),
    )
    return new Set(rows.map(({ tokenId }) => tokenId))
  }
}

function scoresOf(row: Record<'pronunciation' | 'intonation' | 'emotion' | 'overall', unknown>) {
  const rounded = (value: unknown) => Math.round(Number(value) * 10) / 10
  return {
    pronunciation: rounded(row.pronunciation),
    intonation: rounded(row.intonation),
    emotion: rounded(row.emotion),
    overall: rounded(row.overall),
  }
}

function summaryOf(row: ScriptRow): ScriptSummary {
  const actors = new Map(row.tokens.map(({ actor }) => [actor.id, { actor_id: actor.id, name: actor.name }]))
  return {
    script_id: row.id,
    title: row.title,
    description: row.description,
    language: row.language as ScriptSummary['language'],
    actors: [...actors.values()],
    token_count: row.tokens.length,
    practice_count: row.practiceCount,
  }
}

function tokenView(row: TokenRow, bookmarked: boolean): PracticeToken {
  return {
    token_id: row.id,
    script_id: row.scriptId,
    position: row.position,
    actor: { actor_id: row.actor.id, name: row.actor.name },
    text: row.text,
    start_time: row.startMs / 1_000,
    end_time: row.endMs / 1_000,
    clip_url: `/tokens/${row.id}/clip`,
    bookmarked,
  }
}
