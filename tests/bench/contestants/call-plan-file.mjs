// The same as call-plan, with the long text in a context file and a short description.
export { openWithFile as open } from './call-plan.mjs'

export const words = 'the same, its text from a file'
