/** The arguments of tools against the part of JSON Schema that their list uses, with words that a model can act on. */
import { meant } from '../../web/standard/nearest.js'

export interface Property {
  readonly type: 'string' | 'integer' | 'number' | 'object' | 'array'
  readonly description?: string
  readonly enum?: readonly string[]
  readonly items?: { readonly type: 'string' }
  readonly minimum?: number
  readonly maximum?: number
}

export interface ArgumentsSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Property>>
  readonly required?: readonly string[]
  readonly additionalProperties: false
}

/** What is wrong; '' when nothing is. A plan may be text too: models write it so. */
export function argumentsFault({ properties, required = [] }: ArgumentsSchema, value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'the arguments are no object'
  const faults = Object.entries(value).map(([name, one]) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property !== undefined) return propertyFault(name, property, one)
    return `there is no "${name.slice(0, 60)}"${meant(name.slice(0, 60), Object.keys(properties))}`
  })
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `"${name}" is missing`)
  return [...missing, ...faults.filter((fault) => fault !== '')].join('; ')
}

function propertyFault(name: string, property: Property, value: unknown): string {
  const { type, minimum = -Infinity, maximum = Infinity } = property
  const wrong = (what: string): string => `"${name}" is to be ${what}`
  if (type === 'string') {
    if (typeof value !== 'string') return wrong('a text')
    return property.enum?.includes(value) === false ? wrong(`one of ${property.enum.join(', ')}`) : ''
  }
  if (type === 'array')
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? '' : wrong('a list of texts')
  if (type === 'object')
    return typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value))
      ? ''
      : wrong('an object')
  if (typeof value !== 'number' || !Number.isFinite(value)) return wrong('a number')
  if (type === 'integer' && !Number.isInteger(value)) return wrong('a whole number')
  return value < minimum || value > maximum ? wrong(boundsWords(minimum, maximum)) : ''
}

const boundsWords = (minimum: number, maximum: number): string =>
  maximum === Infinity ? `at least ${minimum}` : `between ${minimum} and ${maximum}`
