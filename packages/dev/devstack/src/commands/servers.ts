import type { Args } from '../args.ts'
import { guarded } from '../guarded.ts'
import { openInstance } from '../instance.ts'
import { bold } from '../logs.ts'
import { seconds } from '../progress.ts'
import { shouldUseDocker } from '../servers/docker.ts'
import { openStack, serversFile, startServers } from '../stack.ts'

/** Runs only the servers in the foreground: for developing one service and for integration tests. */
export async function servers(args: Args): Promise<number> {
  const began = Date.now()
  const instance = openInstance(args.instance, await shouldUseDocker(args.docker))
  const stack = await openStack(instance, { reset: args.reset })
  return guarded(stack, async (interrupted) => {
    await startServers(stack)
    console.log(`\n${bold('Servers are ready')} after ${seconds(began)}. Tests find them with`)
    console.log(`  export BIGTECH_SERVERS_FILE=${serversFile(instance)}\nCtrl-C stops them.\n`)
    await interrupted
    return 0
  })
}
