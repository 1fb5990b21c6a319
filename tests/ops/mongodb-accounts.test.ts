import { createContext, runInContext } from 'node:vm'
import { expect, it } from 'vitest'
import { text } from './files.ts'

interface User {
  pwd: string
  roles: unknown
}

/** Runs accounts.js with a mongosh that only keeps accounts. Resolves to the accounts by database and name. */
function accounts(environment: Record<string, string>, rootPassword = 'root'): Map<string, User> {
  const users = new Map<string, User>([['admin.root', { pwd: rootPassword, roles: [] }]])
  const database = (name: string) => ({
    auth: (user: string, pwd: string) => {
      if (users.get(`${name}.${user}`)?.pwd !== pwd) throw new Error('Authentication failed.')
    },
    changeUserPassword: (user: string, pwd: string) => void users.set(`${name}.${user}`, { pwd, roles: [] }),
    getUser: (user: string) => users.get(`${name}.${user}`),
    createUser: ({ user, ...rest }: User & { user: string }) => void users.set(`${name}.${user}`, rest),
    updateUser: (user: string, rest: User) => void users.set(`${name}.${user}`, rest),
  })
  const passwords = {
    MONGO_ROOT_PASSWORD: 'root',
    MONGO_CHAT_PASSWORD: 'chat',
    MONGO_EXPORTER_PASSWORD: 'exporter',
  }
  const mongosh = createContext({
    process: { env: { ...passwords, ...environment } },
    db: { getSiblingDB: database, hello: () => ({ isWritablePrimary: true }) },
    rs: { status: () => ({}) },
    print: () => undefined,
  })
  runInContext(text('infrastructure/docker/mongodb/accounts.js'), mongosh)
  return users
}

it("the service's account of MongoDB may read and write its own database only, and the exporter's may only observe", () => {
  expect(Object.fromEntries(accounts({}))).toEqual({
    'admin.root': { pwd: 'root', roles: [] },
    'bigtech_chat.chat_service': { pwd: 'chat', roles: [{ role: 'readWrite', db: 'bigtech_chat' }] },
    'admin.exporter': {
      pwd: 'exporter',
      roles: [
        { role: 'clusterMonitor', db: 'admin' },
        { role: 'read', db: 'local' },
      ],
    },
  })
})

it("rotation changes MongoDB's root password with the previous one, and fails without it", () => {
  const rotated = accounts({ MONGO_PREVIOUS_ROOT_PASSWORD: 'old', MONGO_CHAT_PASSWORD: 'new' }, 'old')
  expect(rotated.get('admin.root')?.pwd).toBe('root')
  expect(rotated.get('bigtech_chat.chat_service')?.pwd).toBe('new')
  expect(() => accounts({}, 'old')).toThrow('Authentication failed.')
})
