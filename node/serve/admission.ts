/** Whether a request may go on, decided before anything of it is answered. */
import { defaultMaxTokens, textsOf, type ChatRequest } from '../../web/standard/chat/request.js'
import type { Account, Admission } from './accounts.js'
import { HttpError } from './http-error.js'
import type { PricedModel, Service } from './service.js'

/** How many attempts a reservation has room for: the first, and one at another model. */
const attempts = 2
/** A prompt is reserved at its estimate and 60 %, as in the core. */
const promptMargin = 1.6

/** Lets the request in for the account, or rejects with a HttpError: 403, 404, 402, 429, 503. */
export async function admitChat(request: ChatRequest, account: Account, service: Service): Promise<Admission> {
  mustBeKnown(request.model, service)
  if (!account.mayUse(request.model))
    throw new HttpError(403, 'model_not_allowed', 'this key may not use that model: see /v1/models', { param: 'model' })
  const { system, user } = textsOf(request.chat)
  const tools = request.chat.tools?.length ? JSON.stringify(request.chat.tools).length : 0
  const prompt = Math.ceil(((system.length + user.length + tools) / 3) * promptMargin) + 16
  const answer = request.maxTokens ?? defaultMaxTokens
  const dearest = (price: (model: PricedModel) => number): number =>
    Math.max(0, ...candidates(request.model, service).map(price))
  const one = prompt * dearest(({ inPrice }) => inPrice) + answer * dearest(({ outPrice }) => outPrice)
  return account.admit({ tokens: prompt + answer, microUsd: Math.ceil(one * attempts) })
}

/** Model words: modes, then `provider/model`. */
export const servedNames = ({ modes, models }: Service): string[] => [
  ...modes,
  ...models.map(({ id, provider }) => `${provider}/${id}`),
]

/** By service, as every request asks. */
const known = new WeakMap<Service, ReadonlySet<string>>()

function mustBeKnown(model: string, service: Service): void {
  const names = known.get(service) ?? new Set(servedNames(service))
  known.set(service, names)
  if (names.has(model)) return
  throw new HttpError(404, 'model_not_found', 'there is no such model here: see /v1/models', { param: 'model' })
}

function candidates(model: string, { modes, models }: Service): readonly PricedModel[] {
  return modes.includes(model) ? models : models.filter(({ id, provider }) => `${provider}/${id}` === model)
}
