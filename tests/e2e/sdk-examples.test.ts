import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { waitFor } from '@bigtech/testkit'
import { afterEach, expect, it } from 'vitest'
import { befriend, http, newPerson, type Person, stack } from './stack.ts'

const examples = join(import.meta.dirname, '../../packages/client/examples')
const running: ChildProcess[] = []

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode === null) child.kill('SIGKILL')
  }
})

interface Example {
  readonly process: ChildProcess
  /** Everything printed so far. */
  printed(): string
}

/** Starts an example of the SDK against the gateway. */
function start(name: string, args: readonly string[], env: Record<string, string> = {}): Example {
  const child = spawn(process.execPath, [join(examples, name), ...args], {
    env: { ...process.env, API_URL: `${stack.gateway}/api`, ...env },
  })
  running.push(child)
  let text = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return { process: child, printed: () => text }
}

const say = (from: Person, roomId: number, content: string) =>
  http('POST', `${stack.chat}/messages/${roomId}`, { token: from.token, json: { content } })

async function messagesOf(reader: Person, roomId: number) {
  const { body } = await http('GET', `${stack.chat}/messages/${roomId}?limit=50`, { token: reader.token })
  return body.items as { message_id: string; user_id: number; content: string; reply_to: string | null }[]
}

it('the bot of the SDK replies once to a message, as a reply, and stops on SIGINT', async () => {
  const [bot, mina] = await Promise.all([newPerson('봇'), newPerson('김미나')])
  const roomId = await befriend(mina, bot)
  const { process: child, printed } = start('bot.ts', [bot.email, bot.password])
  await waitFor(() => printed().includes('open'), { what: 'the stream of the bot', timeoutMs: 20_000 })
  const { body: asked } = await say(mina, roomId, '안녕')
  const replies = async () =>
    (await messagesOf(mina, roomId)).filter(({ user_id, reply_to }) => user_id === bot.id && reply_to)
  await waitFor(async () => (await replies()).length > 0, { what: 'the reply', timeoutMs: 20_000 })
  expect(await replies()).toMatchObject([{ content: 'You said: 안녕', reply_to: asked.message_id }])
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  expect({ code, printed: printed() }).toMatchObject({ code: 0, printed: expect.stringContaining('closed') })
})

it('the terminal client shows the history and new messages, sends typed lines, and ends with the input', async () => {
  const [mina, juno] = await Promise.all([newPerson('김미나'), newPerson('박준오')])
  const roomId = await befriend(mina, juno)
  await say(juno, roomId, '먼저 보낸 말')
  const { process: child, printed } = start('terminal.ts', [mina.email], { PASSWORD: mina.password })
  await waitFor(() => printed().includes('먼저 보낸 말'), { what: 'the history', timeoutMs: 20_000 })
  expect(printed()).toContain(`/${roomId}  박준오`)
  // Frames before the stream is open are not shown, so the other user repeats.
  let count = 0
  await waitFor(
    async () => {
      await say(juno, roomId, `들려요? ${++count}`)
      return printed().includes(': 들려요?')
    },
    { what: 'a new message', timeoutMs: 20_000, intervalMs: 500 },
  )
  child.stdin!.end('잘 들려요\n')
  const [code] = await once(child, 'exit')
  expect({ code, printed: printed() }).toMatchObject({ code: 0 })
  const typed = (await messagesOf(juno, roomId)).filter(({ user_id }) => user_id === mina.id)
  expect(typed.map(({ content }) => content)).toEqual(['잘 들려요'])
})

it.each([
  ['bot.ts', ['nobody@example.com', 'Wrong1234!@']],
  ['terminal.ts', ['nobody@example.com']],
])('%s prints one sentence and exits with 1 when the password is wrong', async (name, args) => {
  const { process: child, printed } = start(name, args, { PASSWORD: 'Wrong1234!@' })
  const [code] = await once(child, 'exit')
  expect(code).toBe(1)
  expect(printed().trim().split('\n')).toHaveLength(1)
})
