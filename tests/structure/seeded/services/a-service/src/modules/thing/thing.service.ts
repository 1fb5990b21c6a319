// Both imports break a rule on purpose: structure.test.ts proves that the check sees them.
import { Redis } from 'ioredis'
import { secret } from '../../../../b-service/src/secret.ts'

export const violation = [Redis, secret]
