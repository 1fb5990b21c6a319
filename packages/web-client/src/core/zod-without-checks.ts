/**
 * Takes the place of zod in the bundle (vite.config.ts). The page talks to its own origin only, whose
 * services validate every request and serialize every answer by the same contracts: checking the answers
 * again would cost the first load 30 KB. Types are checked by the compiler, as everywhere.
 */
type Shape = Record<string, unknown>
interface Chain {
  (...args: unknown[]): Chain
  readonly shape: Shape
  readonly [method: string]: unknown
}

const methods: Record<string, (shape: Shape, arg: never) => unknown> = {
  object: (_, shape: Shape) => chain(shape),
  strictObject: (_, shape: Shape) => chain(shape),
  extend: (shape, more: Shape) => chain({ ...shape, ...more }),
  parse: (_, data: unknown) => data,
  safeParse: (_, data: unknown) => (data === undefined ? { success: false } : { success: true, data }),
}

/** Every other method (`min`, `refine`, `meta`, ...) gives the schema back as it was. */
function chain(shape: Shape): Chain {
  return new Proxy(() => undefined, {
    apply: () => chain(shape),
    get: (_, name) => {
      if (name === 'shape') return shape
      const method = typeof name === 'string' && Object.hasOwn(methods, name) ? methods[name] : undefined
      return method ? (arg: never) => method(shape, arg) : chain(shape)
    },
  }) as unknown as Chain
}

export const z = chain({})
