import type { KeyOf } from './keys.ts'
import type { PictureTexts } from './pictures.en.ts'

export const texts: Record<KeyOf<PictureTexts>, string> = {
  'picture.crop': '보여 줄 부분 고르기',
  'picture.preview': '다른 사람에게 보이는 사진이에요. 끌어서 옮길 수 있어요.',
  'picture.zoom': '확대',
  'picture.sideways': '좌우로 옮기기',
  'picture.upAndDown': '위아래로 옮기기',
  'picture.uploading': '사진 올리는 중',
  'picture.unreadable': '이 브라우저가 읽을 수 있는 사진이 아니에요.',
  'error.FILE_NOT_READY': '사진을 아직 확인하고 있어요. 잠시 뒤에 다시 시도해 주세요.',
}
