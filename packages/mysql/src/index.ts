export { prismaAdapter } from './connection.ts'
export { inSteps } from './in-steps.ts'
export { SqlStore, superviseMysql } from './sql-store.ts'
