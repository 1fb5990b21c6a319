// Run by accounts.sh in mongosh.
const env = process.env
const admin = db.getSiblingDB('admin')

// auth() throws when the server rejects the password.
try {
  admin.auth('root', env.MONGO_ROOT_PASSWORD)
} catch (error) {
  if (!env.MONGO_PREVIOUS_ROOT_PASSWORD) throw error
  admin.auth('root', env.MONGO_PREVIOUS_ROOT_PASSWORD)
  admin.changeUserPassword('root', env.MONGO_ROOT_PASSWORD)
  admin.auth('root', env.MONGO_ROOT_PASSWORD)
}

function initiate() {
  try {
    rs.status()
  } catch (error) {
    if (error.codeName !== 'NotYetInitialized') throw error
    const members = env.MONGO_MEMBERS.split(',').map((host, _id) => ({ _id, host }))
    rs.initiate({ _id: 'rs0', members })
  }
}

function waitForPrimary() {
  for (let i = 0; i < 120; i++) {
    const hello = db.hello()
    if (hello.isWritablePrimary) return true
    // Another member won the election; the accounts arrive by replication.
    if (hello.primary) return false
    sleep(500)
  }
  throw new Error('no primary within 60 s')
}

function ensureUser(database, user, pwd, roles) {
  const target = db.getSiblingDB(database)
  if (target.getUser(user)) target.updateUser(user, { pwd, roles })
  else target.createUser({ user, pwd, roles })
}

initiate()
if (waitForPrimary()) {
  ensureUser('bigtech_chat', 'chat_service', env.MONGO_CHAT_PASSWORD, [
    { role: 'readWrite', db: 'bigtech_chat' },
  ])
  ensureUser('admin', 'exporter', env.MONGO_EXPORTER_PASSWORD, [
    { role: 'clusterMonitor', db: 'admin' },
    { role: 'read', db: 'local' },
  ])
  print('replica set and accounts are there')
} else {
  quit(1)
}
