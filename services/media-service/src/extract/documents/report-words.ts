import type { Extraction, Fact } from './extraction.ts'

interface ReportWords {
  readonly title: string
  readonly pages: (read: number, total: number) => string
  readonly summary: string
  readonly facts: string
  readonly tables: string
  readonly text: string
  readonly notes: string
  readonly none: string
  readonly more: (rows: number) => string
  readonly kinds: Readonly<Record<Fact['kind'], string>>
}

const korean: ReportWords = {
  title: '문서 분석 보고서',
  pages: (read, total) => `전체 ${total}쪽 중 ${read}쪽 분석`,
  summary: '요약',
  facts: '핵심 정보',
  tables: '표',
  text: '본문',
  notes: '참고',
  none: '없음',
  more: (rows) => `외 ${rows}행`,
  kinds: {
    date: '날짜',
    amount_krw: '금액',
    email: '이메일',
    phone: '전화번호',
    business_number: '사업자등록번호',
    percent: '비율',
  },
}

const english: ReportWords = {
  title: 'Document report',
  pages: (read, total) => `${read} of ${total} pages read`,
  summary: 'Summary',
  facts: 'Key facts',
  tables: 'Tables',
  text: 'Text',
  notes: 'Notes',
  none: 'None',
  more: (rows) => `${rows} more rows`,
  kinds: {
    date: 'Date',
    amount_krw: 'Amount (KRW)',
    email: 'Email',
    phone: 'Phone',
    business_number: 'Business number',
    percent: 'Percentage',
  },
}

/** The words of a report, in the language of the document where we speak it. */
export function reportWords({ language }: Pick<Extraction, 'language'>): ReportWords {
  return language === 'ko' ? korean : english
}

/** Rows of one table that a report shows; `extracted-data` has all of them. */
export const SHOWN_ROWS = 50
export const SHOWN_TABLES = 20
export const SHOWN_FACTS = 100
export const SHOWN_CHARACTERS = 10_000

export function factValue({ kind, value }: Fact): string {
  return kind === 'amount_krw' ? `₩${Number(value).toLocaleString('en')}` : value
}
