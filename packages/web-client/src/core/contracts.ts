/**
 * What the bundle has in place of the contracts (vite.config.ts): every operation as method and path, as the
 * client package describes it without zod, and the two functions that its timeline calls.
 */
export * from '../../../client/src/operations.ts'
export { excerpt, hiddenMessage } from '../../../contracts/src/http/message-excerpt.ts'
