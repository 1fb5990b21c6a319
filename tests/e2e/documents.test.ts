import type { DocumentFrame, Message } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import { befriend, http, newPerson, stack } from './stack.ts'

const api = `${stack.gateway}/api`

/** Returns a PDF of one page with one line of text. */
function pdfOf(text: string): Blob {
  const drawn = `BT /F1 12 Tf 40 700 Td (${text}) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let file = '%PDF-1.4\n'
  const rows = objects.map((object, index) => {
    const row = `${String(file.length).padStart(10, '0')} 00000 n \n`
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
    return row
  })
  const xref = `xref\n0 6\n0000000000 65535 f \n${rows.join('')}trailer\n<< /Size 6 /Root 1 0 R >>\n`
  return new Blob([`${file}${xref}startxref\n${file.length}\n%%EOF\n`], { type: 'application/pdf' })
}

it('a document sent in a chat is analyzed, and its report is posted in the room', async () => {
  const [sender, reader] = await Promise.all([newPerson(), newPerson()])
  const room = await befriend(sender, reader)
  const form = new FormData()
  form.set('file', pdfOf('Delivery is due on 2026-04-30, write to sales@hanbit.co.kr.'), 'contract.pdf')
  const headers = { authorization: `Bearer ${sender.token}` }
  const stored = (await (await fetch(`${api}/files`, { method: 'POST', headers, body: form })).json()) as {
    file_id: string
  }
  const isReady = async () => {
    const { body } = await http('GET', `${api}/files/${stored.file_id}?wait_seconds=20`, {
      token: sender.token,
    })
    return body.state === 'ready'
  }
  await waitFor(isReady, { timeoutMs: 60_000, what: 'the file to be examined' })
  const sent = await http('POST', `${api}/messages/${room}`, {
    token: sender.token,
    json: { content: '', message_type: 'file', file_id: stored.file_id },
  })
  expect(sent.status).toBe(201)

  const { body: ticket } = await http('POST', `${api}/ws/tickets`, { token: reader.token })
  const socket = new WebSocket(`${api.replace('http', 'ws')}/ws?ticket=${ticket.ticket}`)
  const frames: DocumentFrame[] = []
  socket.addEventListener('message', ({ data }) => frames.push(JSON.parse(String(data))))
  await waitFor(() => frames.length === 1, { what: 'the first frame' })
  const asked = await http('POST', `${api}/documents/analyze`, {
    token: reader.token,
    json: { message_id: sent.body.message_id },
  })
  expect(asked.status).toBe(202)

  const report = await waitFor(
    async () => {
      const { body } = await http('GET', `${api}/messages/${room}`, { token: sender.token })
      return (body.items as Message[]).find(({ reply_to }) => reply_to === sent.body.message_id)
    },
    { timeoutMs: 90_000, what: 'the report in the room' },
  )
  expect(report).toMatchObject({
    user_id: reader.id,
    message_type: 'file',
    file: { name: 'contract report.pdf' },
  })
  await waitFor(() => frames.some(({ type }) => type === 'document_completed'))
  socket.close()
  const content = `${api}/files/${report.file?.file_id}/content?message_id=${report.message_id}`
  expect((await http('GET', content, { token: sender.token })).text.slice(0, 5)).toBe('%PDF-')
  const facts = await http('GET', `${api}/documents/${asked.body.data.document_id}/extracted-data`, {
    token: reader.token,
  })
  expect(facts.body.data.facts.map(({ value }: { value: string }) => value)).toEqual([
    '2026-04-30',
    'sales@hanbit.co.kr',
  ])
})
