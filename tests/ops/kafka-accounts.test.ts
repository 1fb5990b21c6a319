import { accessRules } from '@bigtech/kafka'
import { expect, it } from 'vitest'
import { filesBelow, serviceNames, text } from './files.ts'

const rules = accessRules()

it('every process of a service may use the consumer groups under its name with the account of its service', () => {
  const processes = serviceNames.flatMap((account) =>
    filesBelow(`services/${account}/src`, '.ts').flatMap((file) =>
      [...text(file).matchAll(/runService\('([\w-]+)'/g)].map(([, name]) => ({ account, name })),
    ),
  )
  expect(processes).toContainEqual({ account: 'media-service', name: 'media-worker' })
  for (const { account, name } of processes)
    for (const group of [`${name}.`, `broadcast.${name}.`])
      expect(rules).toContainEqual({
        account,
        resource: 'group',
        operation: 'read',
        name: group,
        isPrefix: true,
      })
})
