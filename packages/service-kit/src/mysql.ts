import type { Service } from './service.ts'

/** Adds a database to /ready and closes it at the end. MySQL need not be up yet. */
export function superviseMysql(
  service: Pick<Service, 'readiness' | 'lifecycle'>,
  store: { ping(): Promise<void>; close(): Promise<void> },
  options: {
    /** Optional for readiness once it has been up: this process can then serve requests without it. */
    readonly dispensable?: boolean
  } = {},
): void {
  let seen = false
  service.readiness.add({
    name: 'mysql',
    ping: async () => {
      await store.ping()
      seen = true
    },
    get optional() {
      return seen && options.dispensable === true
    },
  })
  service.lifecycle.onStop('stores', 'mysql', () => store.close())
}
