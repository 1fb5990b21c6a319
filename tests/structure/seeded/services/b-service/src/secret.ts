export const secret = 'the other service must not see this'
