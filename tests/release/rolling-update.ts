import { Deployment } from './deployment.ts'
import { drill } from './drill.ts'
import { readRules } from './rules.ts'

const OVERLAY = 'k8s/overlays/production'

/** Rolls every service of the running stack under load, by the rules of the manifests. Resolves to whether nothing was lost. */
export async function rollingUpdate(): Promise<boolean> {
  const deployments: [name: string, deployment: Deployment][] = []
  try {
    for (const rules of await readRules(OVERLAY)) {
      deployments.push([rules.service, await Deployment.create(rules)])
      console.log(`${rules.service}: ${rules.replicas} pods are ready`)
    }
    return await drill(async () => {
      // One after the other: two cores do not start eight processes at once.
      for (const [name, deployment] of deployments) {
        await deployment.roll()
        console.log(`${name}: replaced`)
      }
      const killed = deployments.flatMap(([, deployment]) => deployment.killed)
      for (const name of killed) console.log(`${name} did not end within its grace period`)
      return killed.length === 0
    })
  } finally {
    for (const [, deployment] of deployments.toReversed()) await deployment.remove()
  }
}
