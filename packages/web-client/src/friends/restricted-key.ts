/** Starts with the key of blocked people, so that every change of the friend lists invalidates both. */
export const restrictedKey = ['blocked', 'restricted'] as const
