export { type Instance, openInstance } from './instance.ts'
export { type ServiceRow, services } from './services.ts'
