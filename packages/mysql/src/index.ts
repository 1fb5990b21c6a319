export { prismaAdapter } from './connection.ts'
export { SqlStore, superviseMysql } from './sql-store.ts'
