import { fileURLToPath } from 'node:url'
import { loadConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

const here = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** What the gateway is configured by, apart from kong.yml. */
export const configSchema = z.object({
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  PORT: port.default(8000).describe('Port for clients.'),
  ADMIN_PORT: port.optional().describe('Port for operators (/metrics, /live, /ready). Default: PORT + 1.'),
  KONG_CONFIG: z
    .string()
    .default(here('../../../../infrastructure/docker/kong/kong.yml'))
    .describe('The gateway description that Kong reads too.'),
  WEB_CLIENT_DIR: z
    .string()
    .default(here('../../../web-client/dist'))
    .describe('Folder with the built page, served where Kong would call `web-client`.'),
  USER_SERVICE_URL: z
    .url()
    .optional()
    .describe('Where `user-service` of kong.yml is. Default: its port on 127.0.0.1.'),
  FRIEND_SERVICE_URL: z.url().optional().describe('Likewise for `friend-service`.'),
  CHAT_SERVICE_URL: z.url().optional().describe('Likewise for `chat-service`.'),
  MEDIA_SERVICE_URL: z.url().optional().describe('Likewise for `media-service`.'),
  NOTIFICATION_SERVICE_URL: z.url().optional().describe('Likewise for `notification-service`.'),
  CORS_ORIGINS: z
    .string()
    .transform((text) => text.split(',').map((origin) => origin.trim()))
    .optional()
    .describe('Origins in place of those in kong.yml, separated by commas. For development.'),
  OBJECT_STORE_URL: z
    .url()
    .optional()
    .describe(
      'Where pages upload large files to, in place of the address in the Content-Security-Policy of kong.yml. For development.',
    ),
  RATE_LIMIT_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe('In place of the limit in kong.yml. For load tests only.'),
  STACK_CONTROL_URL: z
    .url()
    .optional()
    .describe('Control of the local stack, offered to the page under `/stack`. For development only.'),
  TRUSTED_IPS: z
    .string()
    .optional()
    .describe('Proxies in front whose `X-Forwarded-For` is believed: addresses or CIDR blocks, by commas.'),
})

export type GatewayConfig = z.infer<typeof configSchema>

/** @throws ConfigError naming every variable that is wrong. */
export function readConfig(env: Record<string, string | undefined> = process.env): GatewayConfig {
  return loadConfig(configSchema, env)
}
