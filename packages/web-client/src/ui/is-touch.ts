/** Whether the pointer is a finger: no hovering, and no Shift+Enter on the keyboard. */
export const isTouch = matchMedia('(pointer: coarse)').matches
