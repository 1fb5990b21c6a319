import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answerMailbox, Mailbox } from './mailbox.ts'

let mailbox: Mailbox
let server: Server
let url: string

beforeEach(async () => {
  mailbox = new Mailbox()
  server = createServer((request, response) => answerMailbox(mailbox, request, response)).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => server.close())

describe('the mailbox', () => {
  it('the mailbox finds the mails to one address, newest first, regardless of case', async () => {
    mailbox.add({ subject: 'one', text: '' }, ['mina@example.com'])
    mailbox.add({ subject: 'two', text: '' }, ['juno@example.com'])
    mailbox.add({ subject: 'three', text: '' }, ['mina@example.com', 'juno@example.com'])
    const answer = await fetch(`${url}/api/mails?to=Mina@example.com`)
    const { items } = (await answer.json()) as { items: Array<{ subject: string }> }
    expect(items.map((mail) => mail.subject)).toEqual(['three', 'one'])
  })

  it('the mailbox shows a mail as text, so that nothing in it is executed', async () => {
    const mail = mailbox.add({ subject: '<script>alert(1)</script>', text: '<img onerror=x>' }, [
      'a@example.com',
    ])
    for (const path of ['/', `/mails/${mail.id}`]) {
      const html = await (await fetch(url + path)).text()
      expect(html).not.toMatch(/<script>|<img/)
    }
  })

  it('the mailbox returns 404 for an unknown mail', async () => {
    expect((await fetch(`${url}/mails/7`)).status).toBe(404)
  })

  it.each([
    ['GET', '/api/mails'],
    ['DELETE', '/api/mails'],
    ['GET', '/mails/1'],
    ['GET', '/'],
  ])(
    'rejects %s %s under a foreign host name, because another site must not read mails',
    async (method, path) => {
      mailbox.add({ subject: 'canary', text: '' }, ['mina@example.com'])
      const foreign = await callAs('mailbox.evil.example', method, path)
      expect(foreign).toEqual({ status: 403, text: expect.not.stringContaining('canary') })
      expect((await callAs('localhost:11080', 'GET', '/api/mails')).text).toContain('canary')
    },
  )
})

/** `fetch` would not send another Host header. */
async function callAs(host: string, method: string, path: string): Promise<{ status: number; text: string }> {
  const outgoing = request(url + path, { method, headers: { host } }).end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return { status: answer.statusCode ?? 0, text }
}
