import { createHash, randomInt } from 'node:crypto'
import { generateSecret, generateURI, verifySync } from 'otplib'

const ISSUER = 'BigTech Chat'
/** Codes of the adjacent time steps are accepted, because clocks differ and typing takes time (RFC 6238, 5.2). */
const TOLERANCE_SECONDS = 30

/** 32 characters of 5 bits each, without similar-looking ones. */
const ALPHABET = '23456789abcdefghijkmnpqrstuvwxyz'
const RECOVERY_LENGTH = 10
const RECOVERY_CODES = 10

export const newTotpSecret = (): string => generateSecret()

/** Returns the content of a QR code for authenticator apps. */
export function totpUri(secret: string, username: string): string {
  return generateURI({ issuer: ISSUER, label: username, secret })
}

/** Returns the time step of a valid code; undefined when it is invalid or not newer than the last used one. */
export function totpStepOf(code: string, secret: string, now: Date, lastStep: number): number | undefined {
  const epoch = Math.floor(now.getTime() / 1_000)
  const result = verifySync({ secret, token: code, epoch, epochTolerance: TOLERANCE_SECONDS })
  if (!result.valid || !('timeStep' in result)) return undefined
  return result.timeStep > lastStep ? result.timeStep : undefined
}

/** Removes the separators of a code. */
export function canonicalCode(typed: string): string {
  return typed.replace(/[ -]/g, '').toLowerCase()
}

export function isTotpCode(code: string): boolean {
  return /^\d{6}$/.test(code)
}

/** Returns ten new recovery codes in display format, `k7x2m-9qw4t`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const signs = Array.from({ length: RECOVERY_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)])
    return `${signs.slice(0, 5).join('')}-${signs.slice(5).join('')}`
  })
}

/** Hashes a recovery code. Plain SHA-256 is sufficient, because 50 random bits cannot be guessed like a password. */
export function hashRecoveryCode(code: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(canonicalCode(code)).digest())
}
