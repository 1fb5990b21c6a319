/** The redirect path for Google. */
export const GOOGLE_PATH = '/account/google'
