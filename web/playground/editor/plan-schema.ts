/** The plan's JSON Schema, as far as completion and hints need it. */

export interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly oneOf?: readonly Schema[]
  readonly examples?: readonly unknown[]
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
}

export class PlanSchema {
  readonly #root: Schema

  constructor(root: Schema) {
    this.#root = root
  }

  /** The schema of what stands at `path`; undefined: it says nothing of that. */
  at(path: readonly (string | number)[]): Schema | undefined {
    let schema: Schema | undefined = this.#root
    for (const segment of path) {
      const known: Schema | undefined = this.#resolve(schema)
      schema = typeof segment === 'number' ? known?.items : known?.properties?.[segment]
      if (schema === undefined) return undefined
    }
    const found = this.#resolve(schema)
    // A description beside a reference is about this use of it.
    return found === undefined
      ? undefined
      : { ...found, ...(schema?.description && { description: schema.description }) }
  }

  #resolve(schema: Schema | undefined): Schema | undefined {
    const name = schema?.$ref?.replace('#/$defs/', '')
    return name === undefined ? schema : this.#root.$defs?.[name]
  }
}

/** `string`, `number from 0 to 1`, `"code", "json", "text" or an object`; then what stands for it when it is left out. */
export function typeWords(schema: Schema): string {
  const choices = (schema.oneOf ?? [schema]).map((choice) => {
    if (choice.enum !== undefined) return choice.enum.map((value) => JSON.stringify(value)).join(', ')
    return choice.type ?? ''
  })
  const range = schema.minimum === undefined ? '' : ` from ${schema.minimum} to ${schema.maximum ?? '∞'}`
  const usual = schema.default === undefined ? '' : `; default ${JSON.stringify(schema.default)}`
  return `${choices.filter((words) => words !== '').join(' or ')}${range}${usual}`
}

/** Values that can be offered: those of an enumeration, examples, true and false. */
export function valuesOf(schema: Schema): string[] {
  const listed = [
    ...(schema.enum ?? []),
    ...(schema.examples ?? []),
    ...(schema.oneOf ?? []).flatMap((one) => one.enum ?? []),
  ]
  if (schema.type === 'boolean') listed.push(true, false)
  return listed.map((value) => JSON.stringify(value))
}

/** What a new member's value begins with; `#` marks where the writer goes on. */
export function skeletonOf(schema: Schema | undefined): string {
  if (schema?.oneOf !== undefined) return '"#"'
  switch (schema?.type) {
    case 'string':
      return '"#"'
    case 'array':
      return '[#]'
    case 'object':
      return '{ # }'
    default:
      return '#'
  }
}
