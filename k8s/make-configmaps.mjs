import { readFileSync } from 'node:fs'
import { readOptions } from './arguments.mjs'

readOptions(`Usage: node k8s/make-configmaps.mjs | kubectl apply -f -
Prints the ConfigMaps whose content lives elsewhere in the repository, so that it exists once.`)

const docker = new URL('../infrastructure/docker/', import.meta.url)

const configMaps = {
  'bigtech-scripts': {
    'mysql-accounts.sh': 'mysql/accounts.sh',
    'mysql-backup.sh': 'backup/mysql.sh',
    'mongodb-backup.sh': 'backup/mongodb.sh',
    'mongodb-start.sh': 'mongodb/start.sh',
    'accounts.sh': 'mongodb/accounts.sh',
    'accounts.js': 'mongodb/accounts.js',
    'redis-start.sh': 'redis/start.sh',
  },
  kong: { 'kong.yml': 'kong/kong.yml' },
}

for (const [name, files] of Object.entries(configMaps)) {
  const contents = Object.entries(files).map(([key, file]) => [
    key,
    readFileSync(new URL(file, docker), 'utf8'),
  ])
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'bigtech-chat', labels: { 'app.kubernetes.io/part-of': 'bigtech-chat' } },
    data: Object.fromEntries(contents),
  }
  // JSON is YAML; kubectl takes it as it is.
  console.log(`---\n${JSON.stringify(configMap, null, 2)}`)
}
