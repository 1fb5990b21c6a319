/**
 * Replaces the contracts in the bundle (vite.config.ts): every operation as method and path, generated for
 * the client package without zod, and the two functions used by its timeline.
 */
export * from '../../../client/src/operations.ts'
export { excerpt, hiddenMessage } from '../../../contracts/src/http/message-excerpt.ts'
