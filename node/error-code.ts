/** The system's code of an error, such as ENOENT; '' when it has none. By its shape: errors of another realm are no instances of ours. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}
