export const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/**
 * Authentication and encryption of a Kafka client. TLS trusts Node's certificate authorities and those in
 * NODE_EXTRA_CA_CERTS.
 */
export interface KafkaSecurity {
  readonly tls: boolean
  readonly sasl?: {
    readonly mechanism: (typeof saslMechanisms)[number]
    readonly username: string
    readonly password: string
  }
}

export interface KafkaSecurityVariables {
  readonly KAFKA_TLS?: boolean | undefined
  readonly KAFKA_SASL_MECHANISM?: (typeof saslMechanisms)[number] | undefined
  readonly KAFKA_USERNAME?: string | undefined
  readonly KAFKA_PASSWORD?: string | undefined
}

/** Returns the security settings of the variables. Throws when only a part of mechanism and account is set. */
export function kafkaSecurity(variables: KafkaSecurityVariables): KafkaSecurity {
  const { KAFKA_TLS: tls = false, KAFKA_SASL_MECHANISM: mechanism } = variables
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = variables
  if (!mechanism && !username && !password) return { tls }
  if (!mechanism || !username || !password) {
    throw new Error(
      'KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD belong together: set all three or none.',
    )
  }
  return { tls, sasl: { mechanism, username, password } }
}

/** Returns the security settings of the process environment, for commands. */
export function kafkaSecurityFromEnv(env: Record<string, string | undefined> = process.env): KafkaSecurity {
  const mechanism = saslMechanisms.find((known) => known === env.KAFKA_SASL_MECHANISM)
  if (env.KAFKA_SASL_MECHANISM && !mechanism) {
    throw new Error(`KAFKA_SASL_MECHANISM is none of ${saslMechanisms.join(', ')}.`)
  }
  return kafkaSecurity({
    KAFKA_TLS: env.KAFKA_TLS === 'true',
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_USERNAME: env.KAFKA_USERNAME,
    KAFKA_PASSWORD: env.KAFKA_PASSWORD,
  })
}
