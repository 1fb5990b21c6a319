import { type Copies, pages } from '@bigtech/service-kit'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { PeopleRepository } from './people.repository.ts'

const PAGE = 1_000

type Row = NonNullable<Awaited<ReturnType<Tx['person']['findFirst']>>>

/** Returns the copies of public profiles, for `bigtech verify`. */
export function peopleCopies(mysql: Mysql, people: PeopleRepository): Copies {
  const next = (last: Row | undefined): Promise<Row[]> =>
    mysql.run('copiedPeople', (db) =>
      db.person.findMany({
        where: { userId: { gt: last?.userId ?? 0n } },
        orderBy: { userId: 'asc' },
        take: PAGE,
      }),
    )
  return {
    fields: { user: ['username', 'display_name', 'status_message', 'profile_image_url'] },
    all: async function* () {
      for await (const row of pages<Row>(next)) {
        yield {
          kind: 'user',
          ids: [Number(row.userId)],
          fields: {
            deleted: row.deletedAt !== null,
            username: row.username,
            display_name: row.displayName,
            status_message: row.statusMessage,
            profile_image_url: row.profileImageUrl,
          },
        }
      }
    },
    drop: ({ ids: [userId = 0] }) =>
      mysql.transaction('dropPerson', (tx) => people.erase(tx, userId, new Date())),
  }
}
