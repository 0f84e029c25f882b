/** Items of a step, and their texts where the step names them: `{{item}}`, `{{item.field}}`. */

/** Fails of itself alone: says why an item cannot be set in. */
export class ItemFault extends Error {}

/** Members, beside the description, that an item is set into. What a model is told as rules, who answers and what is run it never is. */
export const fillable = ['context', 'target', 'output_file'] as const

export const placeholder = /\{\{\s*item(\.[^{}]*?)?\s*\}\}/
const placeholders = /\{\{\s*(item(?:\.[^{}]*?)?)\s*\}\}/g

/** Stands for an item that is not known yet. */
export const anyItem: unique symbol = Symbol('item')

/** The text of an item, or of a member of it, by its name: `item.path`. */
function textOf(item: unknown, name: string): string {
  if (item === anyItem) return name
  let value = item
  for (const part of name.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      throw new ItemFault(`an item has nothing for {{${name}}}: ${short(item)}`)
    value = (value as Record<string, unknown>)[part]
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const short = (item: unknown): string => {
  const text = JSON.stringify(item) ?? ''
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

/**
 * Name and text in turn, for the description: the core puts them in as it puts in outputs, so that nothing in a text is taken for a
 * template. Throws ItemFault.
 */
export function valuesOf(description: string, item: unknown): string[] {
  const names = new Set([...description.matchAll(placeholders)].map(([, name = '']) => name))
  // Without any, the parts differ in their files alone; the list says that they are parts.
  return [...(names.size === 0 ? ['item'] : names)].flatMap((name) => [name, textOf(item, name)])
}

/** Every text in the value with the item set in: of members that are no templates. Throws ItemFault. */
export function filled<Value>(value: Value, item: unknown): Value {
  if (typeof value === 'string') return value.replace(placeholders, (_, name: string) => textOf(item, name)) as Value
  if (Array.isArray(value)) return value.map((one: unknown) => filled(one, item)) as Value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one as unknown, item)])) as Value
}

/** A plain file name, for `output_file`: whatever else stands in an item becomes a hyphen. */
export function plainName(name: string, at: number): string {
  const plain = name.replace(/[^\w.-]+/g, '-').replace(/^[.-]+/, '')
  return plain === name && plain.length <= 120 ? plain : `${at}-${plain.slice(-100)}`
}
