import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { CommandError } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { type CommandContext, dryRunNote } from '../output.ts'

const PEM_BLOCK = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/g

/** The steps of a rotation, each followed by a restart of user-service. The first key of a file signs. */
const steps = {
  add: {
    description: 'append a new key: it is published, and does not sign yet',
    change: (keys: readonly string[]) => [...keys, newKey()],
  },
  sign: {
    description: 'put the newest key first: it signs from now on',
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

/** Adds `keys list` and `keys rotate`. Both work on a file, so they need neither a service nor a store. */
export function addKeyCommands(program: Command, { output }: CommandContext): void {
  const keys = program.command('keys').description('keys that sign access tokens')
  keys
    .command('list <file>')
    .description('list the keys of a file by their fingerprints; the first one signs')
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
    .description('change the signing key without signing anybody out, in three steps')
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
        throw new CommandError(`--step is one of ${Object.keys(steps).join(', ')}, not "${step}".`, 2)
      const before = readKeys(file)
      if (step !== 'add' && before.length < 2)
        throw new CommandError(`${file} holds one key: there is nothing to ${step}.`)
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

/** @throws CommandError without anything of the file's content. */
function readKeys(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  const keys = text.match(PEM_BLOCK)
  if (!keys) throw new CommandError(`${file} holds no private key in PEM form.`)
  return keys
}

function newKey(): string {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  return pem.toString().trim()
}

/** Of the public key, so that it may be shown. */
function fingerprint(pem: string): string {
  const der = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('hex').slice(0, 16)
}

/** A crash leaves the old file or the new one, never half of either. */
function replaceFile(file: string, keys: readonly string[]): void {
  const { mode } = statSync(file)
  const next = `${file}.next`
  writeFileSync(next, `${keys.join('\n')}\n`, { mode })
  renameSync(next, file)
}
