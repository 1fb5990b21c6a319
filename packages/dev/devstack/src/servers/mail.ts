import { join } from 'node:path'
import { isOk } from '../readiness.ts'
import { type Server, serverDefaults } from './server.ts'

/** The mailbox of the stack, in a separate process so that tests can stop it. */
export const mail: Server = {
  title: 'Mailbox',
  async prepare(context) {
    const { ports, root } = context.instance
    const url = `http://127.0.0.1:${ports.mailbox}`
    return [
      {
        ...serverDefaults(context),
        account: undefined,
        name: 'mailbox',
        command: process.execPath,
        args: [join(root, 'packages/dev/devstack/src/mailbox.ts')],
        cwd: root,
        env: { ...process.env, PORT: String(ports.mailbox), SMTP_PORT: String(ports.smtp) },
        port: ports.mailbox,
        url,
        isReady: () => isOk(`${url}/ready`),
        isShown: true,
      },
    ]
  },
}
