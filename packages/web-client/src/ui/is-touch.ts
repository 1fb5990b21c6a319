/** The pointer is a finger: nothing can be hovered, and the keyboard has no Shift+Enter. */
export const isTouch = matchMedia('(pointer: coarse)').matches
