import { describe, expect, it } from 'vitest'
import { portsOf } from '../ports.ts'
import { composeArgs, composeEnv, dockerServers, isHealthy } from './docker.ts'

const instance = { name: 'test', root: '/src', keyFolder: '/src/.devstack/test/keys' }

describe('servers from images', () => {
  it("servers from images are run by the checkout's Compose files in a project per instance", () => {
    expect(composeArgs(instance, ['up', 'mysql']).join(' ')).toBe(
      'compose --project-name bigtech-test --project-directory /src --env-file /src/.devstack/test/keys/compose.env ' +
        '--file /src/docker-compose.msa.yml --file /src/infrastructure/docker/compose/small.yml --file /src/infrastructure/docker/compose/dev.yml ' +
        '--file /src/.devstack/test/keys/compose.yml up mysql',
    )
  })

  it("listen on the instance's ports with the passwords of the created accounts", () => {
    const env = composeEnv({ ports: portsOf('test', {}) }, (account) => `pw-${account}`)
    expect(env).toMatchObject({
      DEVSTACK_MYSQL_PORT: '18306',
      DEVSTACK_MONGO_PORT: '32117',
      DEVSTACK_REDIS_PORT: '21379',
      DEVSTACK_KAFKA_PORT: '24092',
      MYSQL_ROOT_PASSWORD: 'pw-mysql-root',
      MONGO_CHAT_PASSWORD: 'pw-mongo-chat',
    })
  })

  it('servers from images have the same names for users and tests as the private ones', async () => {
    expect(dockerServers.map((server) => server.title)).toEqual(['MySQL', 'MongoDB', 'Redis', 'Kafka'])
  })
})

it('servers from images are waited for until healthy; an unhealthy one is not accepted', () => {
  expect(isHealthy('healthy\n')).toBe(true)
  for (const health of ['', 'starting\n', 'unhealthy\n']) expect(isHealthy(health)).toBe(false)
})
