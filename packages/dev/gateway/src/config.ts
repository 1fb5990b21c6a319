import { fileURLToPath } from 'node:url'
import { loadConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

const here = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** The configuration of the gateway, apart from kong.yml. */
export const configSchema = z.object({
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Minimum level of log lines.'),
  HOST: z.string().default('127.0.0.1').describe('Listen address.'),
  PORT: port.default(8000).describe('Client port.'),
  ADMIN_PORT: port.optional().describe('Operator port (/metrics, /live, /ready). Default: PORT + 1.'),
  KONG_CONFIG: z
    .string()
    .default(here('../../../../infrastructure/docker/kong/kong.yml'))
    .describe('The gateway description, shared with Kong.'),
  WEB_CLIENT_DIR: z
    .string()
    .default(here('../../../web-client/dist'))
    .describe("Directory of the built web page, served in place of Kong's upstream `web-client`."),
  USER_SERVICE_URL: z
    .url()
    .optional()
    .describe('URL of `user-service` in kong.yml. Default: its port on 127.0.0.1.'),
  FRIEND_SERVICE_URL: z.url().optional().describe('Likewise for `friend-service`.'),
  CHAT_SERVICE_URL: z.url().optional().describe('Likewise for `chat-service`.'),
  MEDIA_SERVICE_URL: z.url().optional().describe('Likewise for `media-service`.'),
  NOTIFICATION_SERVICE_URL: z.url().optional().describe('Likewise for `notification-service`.'),
  CORS_ORIGINS: z
    .string()
    .transform((text) => text.split(',').map((origin) => origin.trim()))
    .optional()
    .describe('Comma-separated origins that replace those in kong.yml. For development.'),
  OBJECT_STORE_URL: z
    .url()
    .optional()
    .describe(
      "Upload address of pages that replaces the one in kong.yml's Content-Security-Policy. For development.",
    ),
  RATE_LIMIT_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe('Replaces the limit in kong.yml. For load tests only.'),
  STACK_CONTROL_URL: z
    .url()
    .optional()
    .describe('Control API of the local stack, offered to the page under `/stack`. For development only.'),
  TRUSTED_IPS: z
    .string()
    .optional()
    .describe('Trusted proxies whose `X-Forwarded-For` is used: comma-separated addresses or CIDR blocks.'),
})

export type GatewayConfig = z.infer<typeof configSchema>

/** Reads the configuration. @throws ConfigError naming every invalid variable */
export function readConfig(env: Record<string, string | undefined> = process.env): GatewayConfig {
  return loadConfig(configSchema, env)
}
