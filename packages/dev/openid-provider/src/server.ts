import { startOpenIdProvider } from './provider.ts'

/** The provider as a process: PORT, and REDIRECT_URIS separated by commas. */
const provider = await startOpenIdProvider({
  port: Number(process.env.PORT),
  redirectUris: (process.env.REDIRECT_URIS ?? '').split(','),
})
console.log(JSON.stringify({ level: 30, time: Date.now(), msg: 'listening', issuer: provider.issuer }))
process.once('SIGTERM', () => provider.stop())
