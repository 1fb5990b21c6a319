import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const versionIn = (path: string) => JSON.parse(read(path)).version as string
const { version } = JSON.parse(read('package.json')) as { version: string }

it("every package has the product's version", () => {
  const exclude = ['**/node_modules/**', '**/generated/**', '**/dist/**']
  const manifests = globSync('{packages,services,tests,docs}/**/package.json', { cwd: root, exclude }).filter(
    (path) => versionIn(path) !== undefined,
  )
  expect(manifests.length).toBeGreaterThan(15)
  expect(manifests.filter((path) => versionIn(path) !== version)).toEqual([])
})

it("the API documents have the product's version", () => {
  for (const name of ['openapi', 'asyncapi']) {
    expect(JSON.parse(read(`packages/web-client/public/api/${name}.json`)).info.version, name).toBe(version)
  }
})

it("Kubernetes runs the images of the product's version", () => {
  const images = globSync('k8s/**/*.yaml', { cwd: root }).flatMap((path) => [
    ...read(path).matchAll(/image: (ghcr\.io\/bigtech-chat\/[\w-]+):([\w.-]+)/g),
  ])
  expect(images.length).toBeGreaterThan(10)
  expect(images.filter(([, , tag]) => tag !== version).map(([image]) => image)).toEqual([])
  // A Job is immutable, so each version has separate Jobs.
  expect(read('k8s/manifests/jobs/kustomization.yaml')).toContain(
    `nameSuffix: -${version.replaceAll('.', '-')}\n`,
  )
})

it('the changelog describes the version of the product', () => {
  expect(read('CHANGELOG.md')).toContain(`## ${version}`)
})
