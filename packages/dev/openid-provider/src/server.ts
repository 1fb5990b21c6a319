import { startOpenIdProvider } from './provider.ts'

/** Runs the provider as a process: PORT, and comma-separated REDIRECT_URIS. */
const provider = await startOpenIdProvider({
  port: Number(process.env.PORT),
  redirectUris: (process.env.REDIRECT_URIS ?? '').split(','),
})
console.log(JSON.stringify({ level: 30, time: Date.now(), msg: 'listening', issuer: provider.issuer }))
process.once('SIGTERM', () => provider.stop())
