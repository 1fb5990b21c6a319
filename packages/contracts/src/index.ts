export * from './events/index.ts'
export * from './ids.ts'
export * from './topics.ts'
export * from './uuidv7.ts'
