import { describe } from 'vitest'
import { describeGateway } from './gateway-suite.ts'

/** Runs when a gateway in front of echo servers is given, as started by tests/gateway/compose.yml. */
const url = process.env.BIGTECH_GATEWAY_URL
const control = process.env.BIGTECH_ECHO_URL

describe.skipIf(!url || !control)('the gateway at BIGTECH_GATEWAY_URL', () => {
  describeGateway('does what kong.yml says', () => ({ url: url ?? '', control: control ?? '' }))
})
