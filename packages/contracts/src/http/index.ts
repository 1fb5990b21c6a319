export * from './define-route.ts'
export * from './paging.ts'
export * from './problem.ts'
export * from './user.ts'
