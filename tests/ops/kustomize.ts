import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '@bigtech/devstack'
import { expect, type TestContext } from 'vitest'
import { root, yamlDocuments } from './files.ts'
import type { Resource } from './kubernetes-model.ts'
import { need } from './tools.ts'

/** Returns what `kubectl apply -k folder` would apply, as YAML. */
export async function build(folder: string, context: TestContext): Promise<string> {
  const kubectl = findProgram('kubectl')
  const [program, ...args] = kubectl ? [kubectl, 'kustomize'] : [await need('kustomize', context), 'build']
  const result = spawnSync(program as string, [...args, folder], { cwd: root, encoding: 'utf8' })
  expect(result.stderr).toBe('')
  return result.stdout
}

/** Returns what an overlay of the base with this component would apply. */
export async function buildWith(component: string, context: TestContext): Promise<Resource[]> {
  const folder = mkdtempSync(join(root, 'k8s/overlays/test-'))
  try {
    const kustomization = { resources: ['../../manifests'], components: [`../../components/${component}`] }
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
    return yamlDocuments<Resource>(await build(folder, context))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
