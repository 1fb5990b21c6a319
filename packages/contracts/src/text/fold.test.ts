import { expect, it } from 'vitest'
import { foldText } from './fold.ts'

it.each([
  ['case', 'KIM', 'kim'],
  ['width', 'ＣＡＦＥ１', 'cafe1'],
  ['halfwidth Katakana', 'ｶﾞｲﾄﾞ', 'ガイド'],
  ['composition', 'é', 'e\u0301'],
  ['decomposed Hangul', '한글'.normalize('NFD'), '한글'],
  ['accents', 'Čeština', 'cestina'],
  ['Vietnamese tones', 'Việt Nam', 'viet nam'],
  ['ё and е', 'Ёлка', 'елка'],
  ['the German ß', 'Straße', 'STRASSE'],
  ['the final sigma', 'ΟΔΟΣ', 'οδος'],
  ['Greek accents', 'Αθήνα', 'αθηνα'],
  ['the Turkish İ', 'İstanbul', 'istanbul'],
  ['the Turkish ı', 'Diyarbakır', 'diyarbakir'],
  ['Arabic vowel points', 'مَرْحَبًا', 'مرحبا'],
  ['the Arabic tatweel', 'مـــرحبا', 'مرحبا'],
  ['Hebrew points', 'שָׁלוֹם', 'שלום'],
  ['joiners that users do not type', 'می\u200cخواهم', 'میخواهم'],
  ['soft hyphens', 'Wort\u00adbild', 'wortbild'],
  ['variation selectors', '❤️', '❤'],
  ['ligatures', 'ﬁn', 'fin'],
  ['spaces', 'a\u3000 \n b', 'a b'],
])('folds %s to the same text: %s is %s', (_what, one, other) => {
  expect(foldText(one)).toBe(foldText(other))
})

it.each([
  ['ㅋㅠ', '큐'],
  ['ㅎㅏ', '하'],
  ['가', '까'],
  ['が', 'か'],
  ['ば', 'ぱ'],
  ['का', 'कि'],
  ['กา', 'กี'],
  ['0', 'o'],
])('folds %s and %s to different texts', (one, other) => {
  expect(foldText(one)).not.toBe(foldText(other))
})

it('folding keeps the jamo of laughter and tears uncomposed', () => {
  expect(foldText('ㅋㅋㅋ ㅠㅠ ㅇㅋ')).toBe('ㅋㅋㅋ ㅠㅠ ㅇㅋ')
})

it('folding is idempotent', () => {
  for (const text of ['ẞß', 'İıI', 'ΣΑΣ', 'ﷺ', '\u0345', 'ǰ', 'ㅋㅠ', '각'.normalize('NFD')]) {
    expect(foldText(foldText(text)), text).toBe(foldText(text))
  }
})
