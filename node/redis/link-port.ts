/** A connection to Redis (or Valkey) as the stores, limits and workers of this folder use it, over whichever client. */

export type RedisArgument = string | number | Uint8Array

export interface RedisLink {
  /** The address without user, password or anything else that is secret. */
  readonly name: string
  /** Sends a command. Rejects with whatever the server or the connection says; at the latest after the link's time-out. */
  send(command: string, ...values: readonly RedisArgument[]): Promise<unknown>
  /** As `send`; strings of the reply are bytes. */
  sendForBytes(command: string, ...values: readonly RedisArgument[]): Promise<unknown>
  /** Listens to a channel; resolves once the server has it. What is published while the connection is down is lost. */
  listen(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>
  /** Calls back whenever the connection is there again after it was lost. The result ends that. */
  onReturn(listener: () => void): () => void
  /** Ends the connection, unless it is somebody else's. Idempotent. */
  close(): Promise<void>
}

// The clients' own types take any values, and nothing narrower fits them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type ClientListener = (...values: any[]) => void

export function messageOf(error: unknown): string {
  const { message } = (error ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' ? message : String(error)
}

/** Why there is no connection, for people; `cause`: what the last try came to. */
export function noConnection(cause: unknown): Error {
  const why = cause === undefined ? '' : messageOf(cause)
  if (/^NOAUTH/.test(why)) return new Error('there is no connection to the server: it asks for a password')
  if (/^WRONGPASS/.test(why))
    return new Error('there is no connection to the server: it refuses the user or the password')
  return new Error(`there is no connection to the server${why === '' ? '' : `: ${why}`}`)
}

export const tooLate = (): Error => new Error('the server did not answer in time')
