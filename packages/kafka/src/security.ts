import { readFileSync } from 'node:fs'

export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/**
 * Authentication and encryption of a Kafka client. Without `ca`, TLS trusts Node's certificate authorities and those in
 * NODE_EXTRA_CA_CERTS.
 */
export interface KafkaSecurity {
  readonly tls: boolean
  /** The certificate authority of the brokers as PEM; replaces Node's list. */
  readonly ca?: string
  readonly sasl?: {
    readonly mechanism: (typeof saslMechanisms)[number]
    readonly username: string
    readonly password: string
  }
}

export interface KafkaSecurityVariables {
  readonly KAFKA_TLS?: boolean | undefined
  readonly KAFKA_CA_FILE?: string | undefined
  readonly KAFKA_SASL_MECHANISM?: (typeof saslMechanisms)[number] | undefined
  readonly KAFKA_USERNAME?: string | undefined
  readonly KAFKA_PASSWORD?: string | undefined
}

/**
 * Returns the security settings of the variables. Throws when only a part of mechanism and account is set, and when
 * KAFKA_CA_FILE cannot be read or has no effect.
 */
export function kafkaSecurity(variables: KafkaSecurityVariables): KafkaSecurity {
  const { KAFKA_TLS: tls = false, KAFKA_CA_FILE: caFile, KAFKA_SASL_MECHANISM: mechanism } = variables
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = variables
  if (caFile && !tls) throw new Error('KAFKA_CA_FILE has no effect without KAFKA_TLS=true.')
  const transport = { tls, ...(caFile ? { ca: readAuthority(caFile) } : {}) }
  if (!mechanism && !username && !password) return transport
  if (!mechanism || !username || !password) {
    throw new Error(
      'KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD belong together: set all three or none.',
    )
  }
  return { ...transport, sasl: { mechanism, username, password } }
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`KAFKA_CA_FILE: ${path} cannot be read.`, { cause })
  }
}

/** Returns the security settings of the process environment, for commands. */
export function kafkaSecurityFromEnv(env: Record<string, string | undefined> = process.env): KafkaSecurity {
  const mechanism = saslMechanisms.find((known) => known === env.KAFKA_SASL_MECHANISM)
  if (env.KAFKA_SASL_MECHANISM && !mechanism) {
    throw new Error(`KAFKA_SASL_MECHANISM is none of ${saslMechanisms.join(', ')}.`)
  }
  return kafkaSecurity({
    KAFKA_TLS: env.KAFKA_TLS === 'true',
    KAFKA_CA_FILE: env.KAFKA_CA_FILE,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_USERNAME: env.KAFKA_USERNAME,
    KAFKA_PASSWORD: env.KAFKA_PASSWORD,
  })
}
