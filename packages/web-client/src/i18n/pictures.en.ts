export const texts = {
  'picture.crop': 'Choose the part to show',
  'picture.preview': 'The picture as others see it. Drag it to move it.',
  'picture.zoom': 'Zoom',
  'picture.sideways': 'Move left and right',
  'picture.upAndDown': 'Move up and down',
  'picture.uploading': 'Uploading the picture',
  'picture.unreadable': 'This file is not a picture that this browser can read.',
  'error.FILE_NOT_READY': 'The picture is still being checked. Try again in a moment.',
}

export type PictureTexts = typeof texts
