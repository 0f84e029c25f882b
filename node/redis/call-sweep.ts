/** What owners that are gone have left of their calls. */
import { sweepCallsScript } from './call-scripts.js'
import type { CallKeys } from './call-wire.js'
import { runScript, type RedisLink } from './link.js'

/** Forgets the calls of owners whose sign of life is over. Rejects with what the connection says. */
export async function sweepCalls(link: RedisLink, { waiters, starts, owners }: CallKeys): Promise<void> {
  let cursors = ['0', '0']
  do cursors = (await runScript(link, sweepCallsScript, [waiters, starts], [...cursors, owners])) as string[]
  while (cursors.some((cursor) => cursor !== '0'))
}
