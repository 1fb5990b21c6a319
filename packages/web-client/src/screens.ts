/** The code of the first screens. One function each, or the bundler preloads both for either. */
export const loadChat = () => import('./chat-app.tsx')
export const loadSignIn = () => import('./auth/sign-in-page.tsx')
