export { type OpenIdProvider, startOpenIdProvider } from './provider.ts'
export { signInWithCode } from './sign-in-with-code.ts'
