import type { Transaction } from '../../infrastructure/mysql.ts'

/** Deletes a user's archive; a process that is building it loses its lease. */
export async function eraseExport(tx: Transaction, userId: number): Promise<void> {
  const row = await tx.dataExport.findUnique({ where: { userId }, select: { id: true } })
  if (!row) return
  // Deletes the row first: adding a chunk locks the row, so no chunk can be added afterwards.
  await tx.dataExport.deleteMany({ where: { userId } })
  await tx.dataExportPart.deleteMany({ where: { exportId: row.id } })
  await tx.dataExportChunk.deleteMany({ where: { exportId: row.id } })
  await tx.accountLink.deleteMany({ where: { userId, purpose: 'download_export', usedAt: null } })
}
