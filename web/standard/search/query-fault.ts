/** The engine refuses a query of the batch. Anything else (no connection, no permission) would fail for each of them. */
export class QueryFault extends Error {
  override readonly name = 'QueryFault'
}
/** By its name: adapters and batches may come in different bundles. */
export const isQueryFault = (error: unknown): error is QueryFault =>
  error instanceof Error && error.name === 'QueryFault'
