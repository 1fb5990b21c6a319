import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

export const configSchema = z
  .object({
    ...baseConfig.shape,
    PORT: port.default(8006).describe('Port to listen on.'),
    DATABASE_URL: z
      .url({ protocol: /^mysql$/ })
      .describe("This service's own database, `mysql://user:password@host:port/name`."),
    SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .default('smtp://127.0.0.1:11025')
      .describe('Where mail is handed over, `smtp://user:password@host:port`.'),
    MAIL_FROM: z
      .string()
      .default('BigTech Chat <no-reply@bigtech.example>')
      .describe('Sender of every mail; its domain is also that of the Message-ID.'),
    PUBLIC_URL: z
      .url()
      .default('http://localhost:8000')
      .describe('Where people open the web client: links in mails lead there.'),
    VAPID_PUBLIC_KEY: z
      .string()
      .optional()
      .describe('Public key that browsers subscribe with (RFC 8292). Without both keys no push is sent.'),
    VAPID_PRIVATE_KEY: z.string().optional().describe('Its private key.'),
    VAPID_SUBJECT: z
      .string()
      .regex(/^(mailto:|https:)/)
      .default('mailto:ops@bigtech.example')
      .describe('Whom a push service turns to about our pushes.'),
    PUSH_DIGEST_MS: z.coerce
      .number()
      .int()
      .min(0)
      .max(60_000)
      .default(2_000)
      .describe('Messages of a room that arrive within it go out as one push.'),
  })
  .refine((config) => Boolean(config.VAPID_PUBLIC_KEY) === Boolean(config.VAPID_PRIVATE_KEY), {
    path: ['VAPID_PRIVATE_KEY'],
    message: 'Set both VAPID keys, or neither.',
  })

export type Config = z.output<typeof configSchema>
