/** `GET /v1/models`, `GET /v1/models/{id}`: the words that a request of this key may name. */
import { servedNames } from './admission.js'
import type { Call, Context } from './context.js'
import { HttpError } from './http-error.js'
import { sendJson } from './http.js'

export function listModels({ response, account }: Call, { service }: Context): void {
  const data = servedNames(service)
    .filter((id) => account.mayUse(id))
    .map((id) => modelOf(id))
  // One client of the other interface reads a member of that name.
  sendJson(response, 200, { object: 'list', data, models: data })
}

export function oneModel({ response, account }: Call, { service }: Context, id: string): void {
  if (!servedNames(service).includes(id) || !account.mayUse(id))
    throw new HttpError(404, 'model_not_found', 'there is no such model here: see /v1/models', { param: 'model' })
  sendJson(response, 200, modelOf(id))
}

const modelOf = (id: string): object => ({
  id,
  slug: id,
  object: 'model',
  created: 0,
  owned_by: id.includes('/') ? id.slice(0, id.indexOf('/')) : 'aetherflow',
})
