import { join } from 'node:path'
import { isOk } from '../readiness.ts'
import { type Server, serverDefaults } from './server.ts'

/** A fake Google, so that sign-in with Google works without an account there. */
export const openIdProvider: Server = {
  title: 'Fake Google sign-in',
  async prepare(context) {
    const { ports, root } = context.instance
    const { gateway } = ports
    const origins = [`http://localhost:${gateway}`, `http://127.0.0.1:${gateway}`]
    return [
      {
        ...serverDefaults(context),
        account: undefined,
        name: 'openid-provider',
        command: process.execPath,
        args: [join(root, 'packages/dev/openid-provider/src/server.ts')],
        cwd: root,
        env: {
          ...process.env,
          PORT: String(ports.openId),
          REDIRECT_URIS: origins.map((origin) => `${origin}/account/google`).join(','),
        },
        port: ports.openId,
        isReady: () => isOk(`http://127.0.0.1:${ports.openId}/jwks`),
      },
    ]
  },
}
