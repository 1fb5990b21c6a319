import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { documentExample, documentType, envelopeOf, errors, ofDocument, tag } from './document-shapes.ts'

const tableRows = z.array(z.array(z.string()))
export const extractedData = z.object({
  type: documentType,
  language: z.string().nullable(),
  pages_total: z.int().min(0),
  pages_read: z.int().min(0),
  warnings: z.array(z.string()).meta({ description: 'Parts that could not be read.' }),
  summary: z.array(z.string()),
  facts: z.array(
    z.object({
      kind: z.enum(['date', 'amount_krw', 'email', 'phone', 'business_number', 'percent']),
      value: z.string().meta({ description: 'Normalized.' }),
      text: z.string().meta({ description: 'The value as written in the document.' }),
      page: z.int().positive(),
      count: z.int().positive(),
    }),
  ),
  tables: z.array(z.object({ page: z.int().positive(), name: z.string().nullable(), rows: tableRows })),
  text: z.array(z.object({ page: z.int().positive(), name: z.string().nullable(), text: z.string() })),
})

export const getExtractedData = defineRoute({
  operationId: 'getExtractedData',
  method: 'GET',
  path: '/documents/:document_id/extracted-data',
  tag,
  summary: 'Text, tables and key facts of a document',
  params: ofDocument,
  errors,
  success: {
    status: 200,
    description: 'The extracted content.',
    schema: envelopeOf(extractedData),
    example: {
      success: true,
      message: 'The extracted content.',
      data: {
        type: 'pdf',
        language: 'ko',
        pages_total: 1,
        pages_read: 1,
        warnings: [],
        summary: documentExample.summary,
        facts: [{ kind: 'date', value: '2026-03-15', text: '2026년 3월 15', page: 1, count: 1 }],
        tables: [{ page: 1, name: null, rows: [['품목', '금액']] }],
        text: [{ page: 1, name: null, text: '작성일자: 2026년 3월 15일' }],
      },
    },
  },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})

const reportFormat = z.enum(['html', 'pdf', 'json'])

export const listDocumentReports = defineRoute({
  operationId: 'listDocumentReports',
  method: 'GET',
  path: '/documents/:document_id/reports',
  tag,
  summary: 'The reports on a document',
  params: ofDocument,
  errors,
  success: {
    status: 200,
    description: 'The reports and their addresses.',
    schema: envelopeOf(z.array(z.object({ format: reportFormat, path: z.string() }))),
    example: {
      success: true,
      message: 'The reports and their addresses.',
      data: [{ format: 'html', path: `/documents/${documentExample.document_id}/reports/html` }],
    },
  },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})

export const getDocumentReport = defineRoute({
  operationId: 'getDocumentReport',
  method: 'GET',
  path: '/documents/:document_id/reports/:format',
  tag,
  summary: 'The report on a document as HTML, PDF, or JSON',
  params: ofDocument.extend({ format: reportFormat }),
  errors,
  success: { status: 200, description: 'The report.', contentType: 'application/octet-stream' },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})

export const downloadDocument = defineRoute({
  operationId: 'downloadDocument',
  method: 'GET',
  path: '/documents/:document_id/download',
  tag,
  summary: 'The bytes of a document',
  params: ofDocument,
  errors,
  success: { status: 200, description: 'The bytes.', contentType: 'application/octet-stream' },
  problems: ['DOCUMENT_NOT_FOUND', 'DOCUMENT_NOT_READY'],
})
