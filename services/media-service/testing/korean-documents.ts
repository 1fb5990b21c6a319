import { createRequire } from 'node:module'
import { utils, write } from '@e965/xlsx'
import PDFDocument from 'pdfkit'
import sharp from 'sharp'

const require = createRequire(import.meta.url)
const font = require.resolve('@expo-google-fonts/gowun-dodum/400Regular/GowunDodum_400Regular.ttf')

/** What stands in every one of these documents. */
export const prose = [
  '세금계산서 및 거래명세서',
  '공급자: 주식회사 한빛전자 (사업자등록번호 124-81-00998) 대표: 홍길동',
  '작성일자: 2026년 3월 15일 납기: 2026-04-30 연락처: 02-1234-5678',
  '합계금액: ₩12,345,000원 (부가세 1,234,500원 별도), 총 1억 2,300만원 규모의 계약입니다.',
  '본 계약은 공급자가 사무용 기기를 공급하고 설치하는 것을 목적으로 한다.',
  '수요자는 검수 완료 후 30일 이내에 대금을 지급하여야 한다.',
  '지연될 경우 연 6%의 지연이자를 가산한다.',
]

export const table = [
  ['번호', '일자', '품목', '수량', '금액'],
  ...Array.from({ length: 12 }, (_row, index) => [
    String(index + 1),
    `2026-${String(index + 1).padStart(2, '0')}-10`,
    ['노트북', '모니터', '키보드', '서버 임대료'][index % 4]!,
    String((index % 9) + 1),
    (12_000 * (index + 1)).toLocaleString('en'),
  ]),
]

/** The facts of `prose`. */
export const facts = [
  ['business_number', '124-81-00998', 1],
  ['date', '2026-03-15', 1],
  ['date', '2026-04-30', 1],
  ['phone', '02-1234-5678', 1],
  ['amount_krw', '12345000', 1],
  ['amount_krw', '1234500', 1],
  ['amount_krw', '123000000', 1],
  ['percent', '6%', 1],
] as const

export function koreanWorkbook(): Uint8Array<ArrayBuffer> {
  const book = utils.book_new()
  const sheet = utils.aoa_to_sheet([...prose.map((line) => [line]), [], ...table])
  utils.book_append_sheet(book, sheet, '매출')
  return new Uint8Array(write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer)
}

export async function koreanPdf(pages = 1): Promise<Uint8Array<ArrayBuffer>> {
  const document = new PDFDocument({ size: 'A4', margin: 40 })
  const chunks: Buffer[] = []
  document.on('data', (chunk: Buffer) => chunks.push(chunk))
  document.font(font).fontSize(10)
  for (let page = 0; page < pages; page++) {
    if (page > 0) document.addPage()
    for (const line of prose) document.text(line)
    let y = document.y + 20
    for (const row of table) {
      for (const [column, cell] of row.entries())
        document.text(cell, 40 + column * 100, y, { lineBreak: false })
      y += 16
    }
  }
  document.end()
  await new Promise((resolve) => document.on('end', resolve))
  return new Uint8Array(Buffer.concat(chunks))
}

/** A scanned page at 200 dpi. */
export async function koreanScan(lines: readonly string[] = prose): Promise<Uint8Array<ArrayBuffer>> {
  const text = { text: lines.join('\n\n'), font: 'Gowun Dodum 14', fontfile: font, dpi: 200 }
  const { data, info } = await sharp({ text: { ...text, rgba: true } })
    .flatten({ background: '#fff' })
    .png()
    .toBuffer({ resolveWithObject: true })
  const page = sharp({
    create: { width: info.width + 120, height: info.height + 120, channels: 3, background: '#fff' },
  })
  return new Uint8Array(
    await page
      .composite([{ input: data, left: 60, top: 60 }])
      .png()
      .toBuffer(),
  )
}

/** Share of characters of the truth that are missing or wrong; spaces do not count. */
export function characterErrors(truth: string, found: string): number {
  const [a, b] = [truth, found].map((text) => text.normalize('NFC').replace(/\s+/g, '')) as [string, string]
  let previous = Array.from({ length: b.length + 1 }, (_cell, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++)
      current[j] = Math.min(
        previous[j]! + 1,
        current[j - 1]! + 1,
        previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      )
    previous = current
  }
  return previous[b.length]! / a.length
}
