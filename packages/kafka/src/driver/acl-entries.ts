import kafkajs, { type AclEntry, type Admin } from 'kafkajs'
import type { AccessRule } from './port.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

const resources = { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP } as const
const operations = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
} as const

export function toEntry({ account, resource, name, isPrefix, operation }: AccessRule): AclEntry {
  return {
    principal: `User:${account}`,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    operation: operations[operation],
    resourceType: resources[resource],
    resourceName: name,
    resourcePatternType: isPrefix ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  }
}

/** Returns the rules of the kinds created by this package; omits others, for instance denials. */
export async function listAcls(admin: Admin): Promise<AccessRule[]> {
  const found: AccessRule[] = []
  for (const [resource, resourceType] of Object.entries(resources)) {
    const response = await admin.describeAcls({
      resourceType,
      resourcePatternType: ResourcePatternTypes.ANY,
      permissionType: AclPermissionTypes.ALLOW,
      operation: AclOperationTypes.ANY,
    })
    for (const { resourceName: name, resourcePatternType, acls } of response.resources) {
      for (const acl of acls) {
        const operation = Object.entries(operations).find(([, code]) => code === acl.operation)?.[0]
        if (!operation) continue
        found.push({
          account: acl.principal.replace(/^User:/, ''),
          resource: resource as AccessRule['resource'],
          name,
          isPrefix: resourcePatternType === ResourcePatternTypes.PREFIXED,
          operation: operation as AccessRule['operation'],
        })
      }
    }
  }
  return found
}
