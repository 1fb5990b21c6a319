import type { Finding } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'

const PAGE = 1_000

/**
 * Compares denormalized counters with the counted data: members of a room, rooms of a user, the newest
 * message of a room.
 *
 * @param headOf returns the position of a room's newest message, 0 without one
 */
export async function checkRoomFigures(
  mysql: Mysql,
  headsOf: (roomIds: readonly number[]) => Promise<ReadonlyMap<number, number>>,
  options: { readonly fix: boolean },
): Promise<Finding[]> {
  return [
    ...(await checkMemberCounts(mysql, options.fix)),
    ...(await checkRoomCounts(mysql, options.fix)),
    ...(await checkLastPositions(mysql, headsOf, options.fix)),
  ]
}

async function checkMemberCounts(mysql: Mysql, fix: boolean): Promise<Finding[]> {
  // Raw, here and below: a comparison with a count over a join, and a repair in the statement that counts.
  const rows = await mysql.run(
    'check_member_counts',
    (db) => db.$queryRaw<{ id: bigint; stored: bigint | number; counted: bigint | number }[]>`
      SELECT rooms.id, rooms.member_count AS stored, COUNT(room_members.user_id) AS counted
      FROM rooms LEFT JOIN room_members ON room_members.room_id = rooms.id
      WHERE rooms.deleted_at IS NULL GROUP BY rooms.id, rooms.member_count HAVING stored <> counted`,
  )
  for (const { id } of fix ? rows : []) {
    await mysql.run(
      'fix_member_count',
      (db) => db.$executeRaw`
        UPDATE rooms SET member_count = (SELECT COUNT(*) FROM room_members WHERE room_id = ${id}) WHERE id = ${id}`,
    )
  }
  return rows.map(({ id, stored, counted }) => ({
    subject: `room ${id}`,
    detail: `has ${counted} members, but the stored count is ${stored}`,
    isFixed: fix,
  }))
}

async function checkRoomCounts(mysql: Mysql, fix: boolean): Promise<Finding[]> {
  const rows = await mysql.run(
    'check_room_counts',
    (db) => db.$queryRaw<{ user_id: bigint; stored: bigint | number | null; counted: bigint | number }[]>`
      SELECT counts.user_id, MAX(counts.stored) AS stored, SUM(counts.counted) AS counted FROM (
        SELECT user_id, rooms AS stored, 0 AS counted FROM room_counts
        UNION ALL
        SELECT room_members.user_id, 0, 1 FROM room_members JOIN rooms ON rooms.id = room_members.room_id
        WHERE rooms.deleted_at IS NULL
      ) AS counts GROUP BY counts.user_id HAVING stored <> counted`,
  )
  for (const { user_id } of fix ? rows : []) {
    await mysql.run(
      'fix_room_count',
      (db) => db.$executeRaw`
        INSERT INTO room_counts (user_id, rooms)
        SELECT ${user_id}, COUNT(*) FROM room_members JOIN rooms ON rooms.id = room_members.room_id
        WHERE rooms.deleted_at IS NULL AND room_members.user_id = ${user_id}
        ON DUPLICATE KEY UPDATE rooms = VALUES(rooms)`,
    )
  }
  return rows.map(({ user_id, stored, counted }) => ({
    subject: `user ${user_id}`,
    detail: `is in ${counted} rooms, but the stored count is ${stored ?? 0}`,
    isFixed: fix,
  }))
}

/** Checks the stored heads: a room may be a second behind its messages but never ahead of them. */
async function checkLastPositions(
  mysql: Mysql,
  headsOf: (roomIds: readonly number[]) => Promise<ReadonlyMap<number, number>>,
  fix: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = []
  let last = 0n
  for (;;) {
    const rows = await mysql.run('check_last_positions', (db) =>
      db.room.findMany({
        where: { id: { gt: last }, lastSeq: { gt: 0 } },
        orderBy: { id: 'asc' },
        take: PAGE,
        select: { id: true, lastSeq: true },
      }),
    )
    const heads = await headsOf(rows.map(({ id }) => Number(id)))
    for (const { id, lastSeq } of rows) {
      const head = heads.get(Number(id)) ?? 0
      if (Number(lastSeq) <= head) continue
      if (fix)
        await mysql.run('fix_last_position', (db) =>
          db.room.updateMany({ where: { id, lastSeq }, data: { lastSeq: head } }),
        )
      findings.push({
        subject: `room ${id}`,
        detail: `ends with message ${head}, but the stored head is ${lastSeq}`,
        isFixed: fix,
      })
    }
    const end = rows.at(-1)
    if (!end) return findings
    last = end.id
  }
}
