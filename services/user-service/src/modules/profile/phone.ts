import { Problem } from '@bigtech/service-kit'
// With the tables of all countries: the smaller ones compare lengths alone.
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/**
 * Returns a phone number as E.164 (`+821012345678`).
 * @throws Problem VALIDATION_FAILED naming `field` when no country has such a number.
 */
export function e164(text: string, field: string): string {
  const number = parsePhoneNumberFromString(text)
  if (number?.isValid()) return number.number
  const message = 'Not a phone number of the country that its code names.'
  throw new Problem('VALIDATION_FAILED', { errors: [{ field, message }] })
}
