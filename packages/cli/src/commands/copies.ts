import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { CommandError, type Fact, type Finding, type ServiceOperations } from '@bigtech/service-kit'
import type { Command } from 'commander'
import { compareCopies } from '../compare-copies.ts'
import { type CommandContext, dryRunNote } from '../output.ts'
import { chooseServices, presentServices, withService } from '../services.ts'

interface VerifyOptions {
  readonly service?: string[]
  readonly owned?: string
  readonly fix?: boolean
}

interface ServiceFinding extends Finding {
  readonly service: string
}

/** The services whose data other services copy, users before pairs. */
const owners = ['user-service', 'friend-service']

/** Adds the commands `verify`, `owned` and `republish`. */
export function addCopyCommands(program: Command, context: CommandContext): void {
  program
    .command('verify')
    .description(
      'verify counts and stored objects against the underlying data, and copies against their owners',
    )
    .option('--service <name...>', 'only these services')
    .option('--owned <file>', 'output of `bigtech owned` of every owner; - reads standard input')
    .option('--fix', 'repair counts, and remove objects without a row and copies unknown to their owner')
    .addHelpText(
      'after',
      '\nWithout --owned, copies are compared only in a checkout, where the owners are available.' +
        '\nTo repair differing copies, run `bigtech republish` for their owner.',
    )
    .action((options: VerifyOptions) => verify(options, context))
  program
    .command('owned')
    .description('print the data that a service owns and others copy, one JSON object per line')
    .option('--service <name...>', 'only these services')
    .action(async ({ service = [] }: { service?: string[] }) => {
      for await (const fact of ownedBy(chooseServices(service).sort(byOwner))) {
        process.stdout.write(`${JSON.stringify(fact)}\n`)
      }
    })
  program
    .command('republish <service>')
    .description('publish the current state of everything that others copy from a service')
    .option('--raise-versions', 'also override newer copies: after a restore of this service')
    .option('--apply', 'perform the change')
    .action(
      async (
        service: string,
        { apply = false, raiseVersions = false }: { apply?: boolean; raiseVersions?: boolean },
      ) => {
        const [name] = chooseServices([service])
        const events = await withService(name as string, async ({ republish, owned }) => {
          if (!republish || !owned) throw new CommandError(`No service copies data of ${service}.`, 2)
          return apply ? republish({ raiseVersions }) : count(owned())
        })
        const what = `${service} ${apply ? 'publishes' : 'would publish'} ${events} events`
        context.output.print([what, ...(apply ? [] : [dryRunNote])], { service, events, applied: apply })
      },
    )
}

const byOwner = (a: string, b: string) => owners.indexOf(a) - owners.indexOf(b)

async function verify(
  { service = [], owned, fix = false }: VerifyOptions,
  context: CommandContext,
): Promise<void> {
  const hasOwners = owners.every((owner) => presentServices().includes(owner))
  const findings: ServiceFinding[] = []
  for (const name of chooseServices(service)) {
    const found = await withService(name, async (operations) => {
      const figures = (await operations.verify?.({ fix })) ?? []
      if (owned === undefined && !hasOwners) return figures
      const facts = owned === undefined ? ownedBy(owners) : readFacts(owned)
      return [...figures, ...(await verifyCopies(operations, facts, fix))]
    })
    findings.push(...found.map((finding) => ({ service: name, ...finding })))
  }
  const left = findings.filter(({ isFixed }) => !isFixed).length
  context.output.print(
    [
      ...findings.map(
        ({ service, subject, detail, isFixed }) =>
          `${service}: ${subject} ${detail}${isFixed ? ' (fixed)' : ''}`,
      ),
      ...(owned === undefined && !hasOwners ? ['Copies were not compared: see --owned.'] : []),
      `${findings.length} differences, ${left} left`,
    ],
    { findings, left },
  )
  context.exit(left === 0 ? 0 : 1)
}

async function verifyCopies(
  { copies, verifyOwned }: ServiceOperations,
  facts: AsyncIterable<Fact>,
  fix: boolean,
): Promise<Finding[]> {
  if (verifyOwned) return verifyOwned(facts, { fix })
  if (!copies) return []
  const findings: Finding[] = []
  for await (const { fact, detail, isUnknownToOwner } of compareCopies(facts, copies)) {
    const isFixed = fix && isUnknownToOwner
    if (isFixed) await copies.drop(fact)
    findings.push({ subject: `copy of ${fact.kind} ${fact.ids.join(':')}`, detail, isFixed })
  }
  return findings
}

/** Iterates the owned data of several services in sequence. */
async function* ownedBy(services: readonly string[]): AsyncGenerator<Fact, void> {
  for (const name of services) {
    // A generator cannot yield inside a callback; `withService` closes the service when the generator is
    // done.
    const opened = Promise.withResolvers<ServiceOperations>()
    const done = Promise.withResolvers<void>()
    const closed = withService(name, async (operations) => {
      opened.resolve(operations)
      await done.promise
    })
    closed.catch(opened.reject)
    try {
      const { owned } = await opened.promise
      if (owned) yield* owned()
    } finally {
      done.resolve()
      await closed
    }
  }
}

async function* readFacts(file: string): AsyncGenerator<Fact, void> {
  const input = file === '-' ? process.stdin : createReadStream(file)
  for await (const line of createInterface({ input })) {
    if (line.trim() !== '') yield JSON.parse(line) as Fact
  }
}

async function count(facts: AsyncIterable<Fact>): Promise<number> {
  let sum = 0
  for await (const _ of facts) sum++
  return sum
}
