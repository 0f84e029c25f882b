import { googleError } from './google-error.js'
import { isMap, type Reading, type Refusal, type Route } from './wire.js'

type Json = Readonly<Record<string, unknown>>

const topFields = [
  'contents',
  'systemInstruction',
  'generationConfig',
  'tools',
  'toolConfig',
  'safetySettings',
  'cachedContent',
  'model',
]
const configFields = [
  'temperature',
  'topP',
  'topK',
  'maxOutputTokens',
  'stopSequences',
  'candidateCount',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'thinkingConfig',
]
const thinkingFields = ['thinkingBudget', 'thinkingLevel', 'includeThoughts']
const schemaFields = [
  'type',
  'format',
  'title',
  'description',
  'nullable',
  'enum',
  'items',
  'minItems',
  'maxItems',
  'properties',
  'required',
  'propertyOrdering',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'anyOf',
  'default',
  'example',
]

/** A `generateContent` request in the words of chat completions, or its refusal: unknown names, roles, settings that exclude each other. */
export function readGenerate(value: Json, route: Route): Reading {
  const config = isMap(value['generationConfig']) ? value['generationConfig'] : {}
  const refusal = problemOf(value, config, route.model ?? '')
  if (refusal) return { refusal }
  const system = isMap(value['systemInstruction'])
    ? [{ role: 'system', content: textOf(value['systemInstruction']) }]
    : []
  const turns = (value['contents'] as readonly Json[]).map((turn) => ({
    role: turn['role'] === 'model' ? 'assistant' : 'user',
    content: textOf(turn),
  }))
  const limit = config['maxOutputTokens']
  return {
    body: {
      model: route.model,
      messages: [...system, ...turns],
      stream: route.streamed === true,
      ...(limit !== undefined && { max_tokens: limit }),
      ...format(config),
      ...(value['cachedContent'] !== undefined && { cached_content: value['cachedContent'] }),
    },
  }
}

function problemOf(value: Json, config: Json, model: string): Refusal | undefined {
  const thinking = isMap(config['thinkingConfig']) ? config['thinkingConfig'] : {}
  const unknown =
    unknownName(value, topFields, '') ??
    unknownName(config, configFields, 'generation_config') ??
    unknownName(thinking, thinkingFields, 'generation_config.thinking_config') ??
    unknownInSchema(config['responseSchema'], 'generation_config.response_schema')
  if (unknown) return unknown
  const beside = ['systemInstruction', 'system_instruction', 'tools', 'toolConfig'].filter(
    (name) => value[name] !== undefined,
  )
  if (value['cachedContent'] !== undefined && beside.length > 0)
    return bad(
      'CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.',
    )
  const { contents } = value
  if (!Array.isArray(contents) || contents.length === 0 || !contents.every(isMap))
    return bad('contents is not specified')
  if (!contents.every(({ role }) => role === undefined || role === 'user' || role === 'model'))
    return bad('Please use a valid role: user, model.')
  return settingsProblem(config, thinking, model)
}

function settingsProblem(config: Json, thinking: Json, model: string): Refusal | undefined {
  const schemas = ['responseSchema', 'responseJsonSchema'].filter((name) => config[name] !== undefined)
  if (schemas.length > 1) return bad('response_schema and response_json_schema cannot be set together')
  if (schemas.length > 0 && config['responseMimeType'] !== 'application/json')
    return bad('Function calling or a response schema needs response_mime_type application/json')
  const limit = config['maxOutputTokens']
  if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) > 0))
    return bad('max_output_tokens must be positive')
  if (Array.isArray(config['stopSequences']) && config['stopSequences'].length > 5)
    return bad('At most 5 stop sequences are supported')
  const { thinkingBudget: budget, thinkingLevel: level } = thinking
  if (budget !== undefined && level !== undefined)
    return bad('You can only set only one of thinking budget and thinking level.')
  const major = Number(/^gemini-(\d+)/.exec(model)?.[1] ?? NaN)
  if (level !== undefined && major < 3) return bad('Thinking level is not supported for this model.')
  if (level === 'minimal' && /pro|argon/.test(model))
    return bad('Thinking level MINIMAL is not supported for this model.')
  if (budget === 0 && /^gemini-2\.5-pro/.test(model))
    return bad('Budget 0 is invalid. This model only works in thinking mode.')
  return undefined
}

function unknownName(value: Json, known: readonly string[], place: string): Refusal | undefined {
  // The format takes snake case as well.
  const name = Object.keys(value).find((field) => !known.includes(camel(field)))
  if (name === undefined) return undefined
  const message = `Invalid JSON payload received. Unknown name "${name}"${place === '' ? '' : ` at '${place}'`}: Cannot find field.`
  const details = [
    { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: place, description: message }] },
  ]
  return googleError(400, 'INVALID_ARGUMENT', message, details)
}

function unknownInSchema(schema: unknown, place: string, depth = 0): Refusal | undefined {
  if (!isMap(schema) || depth > 32) return undefined
  const own = unknownName(schema, schemaFields, place)
  if (own) return own
  const properties = isMap(schema['properties']) ? Object.entries(schema['properties']) : []
  const inner: (readonly [string, unknown])[] = [
    ...properties.map(([name, part]) => [`${place}.properties[${name}]`, part] as const),
    [`${place}.items`, schema['items']],
    ...(Array.isArray(schema['anyOf']) ? schema['anyOf'] : []).map(
      (part, at) => [`${place}.any_of[${at}]`, part] as const,
    ),
  ]
  for (const [where, part] of inner) {
    const refusal = unknownInSchema(part, where, depth + 1)
    if (refusal) return refusal
  }
  return undefined
}

function format(config: Json): object {
  if (config['responseMimeType'] !== 'application/json') return {}
  const schema = config['responseJsonSchema'] ?? jsonSchema(config['responseSchema'])
  return schema === undefined
    ? { response_format: { type: 'json_object' } }
    : { response_format: { type: 'json_schema', json_schema: { schema } } }
}

/** The OpenAPI subset with JSON Schema's names of types. */
function jsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchema)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      if (name === 'type' && typeof part === 'string') return [name, part.toLowerCase()]
      if (name === 'properties' && isMap(part))
        return [name, Object.fromEntries(Object.entries(part).map(([key, member]) => [key, jsonSchema(member)]))]
      return [name, name === 'items' || name === 'anyOf' ? jsonSchema(part) : part]
    }),
  )
}

function textOf(content: Json): string {
  const parts = Array.isArray(content['parts']) ? content['parts'] : []
  return parts.map((part) => (isMap(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function bad(message: string): Refusal {
  return googleError(400, 'INVALID_ARGUMENT', message)
}
