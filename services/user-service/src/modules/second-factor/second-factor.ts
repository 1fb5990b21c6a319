import { createHash, randomInt } from 'node:crypto'
import { generateSecret, generateURI, verifySync } from 'otplib'

const ISSUER = 'BigTech Chat'
/** Codes of the time step before and after are accepted: phones' clocks differ, people type slowly (RFC 6238, 5.2). */
const TOLERANCE_SECONDS = 30

/** Without letters and digits that look alike. 32 signs: each has 5 bits. */
const ALPHABET = '23456789abcdefghijkmnpqrstuvwxyz'
const RECOVERY_LENGTH = 10
const RECOVERY_CODES = 10

export const newTotpSecret = (): string => generateSecret()

/** Returns what a QR code for authenticator apps holds. */
export function totpUri(secret: string, username: string): string {
  return generateURI({ issuer: ISSUER, label: username, secret })
}

/** Returns the time step of a valid code; undefined when it is not valid, or not newer than the last one used. */
export function totpStepOf(code: string, secret: string, now: Date, lastStep: number): number | undefined {
  const epoch = Math.floor(now.getTime() / 1_000)
  const result = verifySync({ secret, token: code, epoch, epochTolerance: TOLERANCE_SECONDS })
  if (!result.valid || !('timeStep' in result)) return undefined
  return result.timeStep > lastStep ? result.timeStep : undefined
}

/** Removes what is there for reading alone. */
export function canonicalCode(typed: string): string {
  return typed.replace(/[ -]/g, '').toLowerCase()
}

export function isTotpCode(code: string): boolean {
  return /^\d{6}$/.test(code)
}

/** Returns ten new recovery codes as people read them, `k7x2m-9qw4t`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const signs = Array.from({ length: RECOVERY_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)])
    return `${signs.slice(0, 5).join('')}-${signs.slice(5).join('')}`
  })
}

/** A plain SHA-256 is enough: 50 random bits cannot be guessed from it as a password can. */
export function hashRecoveryCode(code: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(canonicalCode(code)).digest())
}
