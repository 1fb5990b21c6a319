import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

export const configSchema = z
  .object({
    ...baseConfig.shape,
    PORT: port.default(8006).describe('Listen port.'),
    DATABASE_URL: z
      .url({ protocol: /^mysql$/ })
      .describe("This service's database, `mysql://user:password@host:port/name`."),
    SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .default('smtp://127.0.0.1:11025')
      .describe('SMTP server, `smtp://user:password@host:port`.'),
    MAIL_FROM: z
      .string()
      .default('BigTech Chat <no-reply@bigtech.example>')
      .describe('Sender of every mail; its domain is also used in the Message-ID.'),
    PUBLIC_URL: z
      .url()
      .default('http://localhost:8000')
      .describe('Public URL of the web client, for links in mails.'),
    VAPID_PUBLIC_KEY: z
      .string()
      .optional()
      .describe(
        'Public VAPID key for push subscriptions (RFC 8292). Without both keys push notifications are disabled.',
      ),
    VAPID_PRIVATE_KEY: z.string().optional().describe('Private VAPID key.'),
    VAPID_SUBJECT: z
      .string()
      .regex(/^(mailto:|https:)/)
      .default('mailto:ops@bigtech.example')
      .describe('Contact URI for push services (VAPID subject).'),
    PUSH_DIGEST_MS: z.coerce
      .number()
      .int()
      .min(0)
      .max(60_000)
      .default(2_000)
      .describe('Time window in which messages of a room are combined into one push notification.'),
  })
  .refine((config) => Boolean(config.VAPID_PUBLIC_KEY) === Boolean(config.VAPID_PRIVATE_KEY), {
    path: ['VAPID_PRIVATE_KEY'],
    message: 'Set both VAPID keys or neither.',
  })

export type Config = z.output<typeof configSchema>
