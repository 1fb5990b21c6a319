/** The code of the first screens. Separate functions, or the bundler would preload both for either. */
export const loadChat = () => import('./chat-app.tsx')
export const loadSignIn = () => import('./auth/sign-in-page.tsx')
