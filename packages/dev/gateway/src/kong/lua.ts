import { createHash } from 'node:crypto'
import { z } from 'zod'

/**
 * The Lua in kong.yml that is reimplemented in this package. Lua is not executed here: each piece is
 * identified by its hash, so changing one in kong.yml without its counterpart prevents the start.
 */
const otherHalves = {
  'pre-function access': { hash: 'a54eb797065abde0', where: 'client.ts' },
  'pre-function log': { hash: '4499fb7301fc23ba', where: 'access-log.ts' },
  'post-function header_filter': { hash: '50f5f9bf5c1999b4', where: 'problem.ts' },
  'post-function body_filter': { hash: '8f1ddc8712b77f5e', where: 'problem.ts' },
}

type LuaName = keyof typeof otherHalves

const hashOf = (code: string): string => createHash('sha256').update(code.trim()).digest('hex').slice(0, 16)

const knownCode = (name: LuaName) =>
  z.tuple([
    z.string().superRefine((code, context) => {
      const { hash, where } = otherHalves[name]
      if (hashOf(code) === hash) return
      const message = `this Lua differs from the one reimplemented in ${where} (hash ${hashOf(code)}, known ${hash}): change both together`
      context.addIssue({ code: 'custom', message })
    }),
  ])

export const preFunctionCode = (phase: 'access' | 'log') => knownCode(`pre-function ${phase}`)
export const postFunctionCode = (phase: 'header_filter' | 'body_filter') =>
  knownCode(`post-function ${phase}`)
