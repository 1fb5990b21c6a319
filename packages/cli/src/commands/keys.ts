import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { CommandError } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { type CommandContext, dryRunNote } from '../output.ts'

const PEM_BLOCK = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/g

/** The steps of a rotation; restart user-service after each. The first key of a file signs. */
const steps = {
  add: {
    description: 'append a new key: published, but not signing yet',
    change: (keys: readonly string[]) => [...keys, newKey()],
  },
  sign: {
    description: 'move the newest key to the front, so that it signs',
    change: (keys: readonly string[]) => [keys.at(-1) as string, ...keys.slice(0, -1)],
  },
  retire: {
    description: 'remove every key but the first; at the earliest 10 minutes after `sign`',
    change: (keys: readonly string[]) => keys.slice(0, 1),
  },
} as const

type Step = keyof typeof steps

interface RotateOptions {
  readonly step: string
  readonly apply?: boolean
}

/** Adds the commands `keys list` and `keys rotate`. Both work on a file and need neither a service nor a store. */
export function addKeyCommands(program: Command, { output }: CommandContext): void {
  const keys = program.command('keys').description('manage the signing keys of access tokens')
  keys
    .command('list <file>')
    .description("list the fingerprints of a file's keys; the first key signs")
    .action((file: string) => {
      const found = readKeys(file).map((pem, index) => ({
        fingerprint: fingerprint(pem),
        signs: index === 0,
      }))
      output.print(
        found.map((key) => `${key.fingerprint}${key.signs ? '  signs' : ''}`),
        found,
      )
    })
  keys
    .command('rotate <file>')
    .description('rotate the signing key in three steps, without ending sessions')
    .requiredOption('--step <step>', Object.keys(steps).join(', '))
    .option('--apply', 'write the file')
    .addHelpText(
      'after',
      `\n${Object.entries(steps)
        .map(([name, { description }]) => `  ${name.padEnd(8)}${description}`)
        .join('\n')}\nRestart user-service after each step.`,
    )
    .action((file: string, { step, apply = false }: RotateOptions) => {
      if (!Object.hasOwn(steps, step))
        throw new CommandError(`--step must be one of ${Object.keys(steps).join(', ')}, not "${step}".`, 2)
      const before = readKeys(file)
      if (step !== 'add' && before.length < 2)
        throw new CommandError(`${file} contains only one key: there is nothing to ${step}.`)
      const after = steps[step as Step].change(before)
      if (apply) replaceFile(file, after)
      const names = after.map(fingerprint)
      output.print(
        [
          `${file} ${apply ? 'holds' : 'would hold'}: ${names.join(', ')}`,
          apply ? 'Restart user-service.' : dryRunNote,
        ],
        { keys: names, applied: apply },
      )
    })
}

/** Reads the keys of a file. @throws CommandError without any file content */
function readKeys(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  const keys = text.match(PEM_BLOCK)
  if (!keys) throw new CommandError(`${file} contains no private key in PEM format.`)
  return keys
}

function newKey(): string {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  return pem.toString().trim()
}

/** Returns the fingerprint of the public key, which is not secret. */
function fingerprint(pem: string): string {
  const der = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('hex').slice(0, 16)
}

/** Replaces the file atomically. */
function replaceFile(file: string, keys: readonly string[]): void {
  const { mode } = statSync(file)
  const next = `${file}.next`
  writeFileSync(next, `${keys.join('\n')}\n`, { mode })
  renameSync(next, file)
}
