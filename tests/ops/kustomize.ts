import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { findProgram } from '@bigtech/devstack'
import type { TestContext } from 'vitest'
import { root, yamlDocuments } from './files.ts'
import type { Resource } from './kubernetes-model.ts'
import { need } from './tools.ts'

/** Returns what `kubectl apply -k folder` would apply, as YAML. */
export async function build(folder: string, context: TestContext): Promise<string> {
  return render(folder, findProgram('kubectl') ?? (await need('kustomize', context)))
}

/** Renders a folder by kubectl or by kustomize. */
export function render(folder: string, program: string): string {
  const command = basename(program).startsWith('kubectl') ? 'kustomize' : 'build'
  const { stdout, stderr } = spawnSync(program, [command, folder], { cwd: root, encoding: 'utf8' })
  if (stderr !== '') throw new Error(stderr)
  return stdout
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
