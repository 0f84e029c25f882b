/** What may stand where the cursor is: members and values by the schema, ids of steps, {{steps.ID.output}}, providers. */
import {
  snippetCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete'
import type { EditorState } from '@codemirror/state'
import { hoverTooltip, type Tooltip } from '@codemirror/view'
import { h } from '../../element/dom.js'
import { membersOf, placeAt, stepIds, type Place } from './json-place.js'
import { PlanSchema, skeletonOf, typeWords, valuesOf, type Schema } from './plan-schema.js'

export interface Known {
  readonly schema: PlanSchema
  /** Ids of providers. */
  readonly providers: readonly string[]
}

export const planCompletions =
  (known: Known) =>
  (context: CompletionContext): CompletionResult | null => {
    const place = placeAt(context.state, context.pos)
    if (place === undefined) return null
    const template = templates(context, place)
    if (template !== null) return template
    if (place.kind === 'name' || place.kind === 'inside') return members(context, place, known.schema)
    return valuesFor(context, place, known)
  }

function members(context: CompletionContext, place: Place, schema: PlanSchema): CompletionResult | null {
  const inside = place.kind === 'inside'
  const typed = context.matchBefore(/"?[\w]*$/)
  if (inside && !context.explicit && (typed === null || typed.from === typed.to)) return null
  const object = inside ? place.node : place.node.parent?.parent
  const path = inside ? place.path : place.path.slice(0, -1)
  const found = schema.at(path)
  if (object === undefined || object === null || found?.properties === undefined) return null
  const there = membersOf(context.state, object)
  const own = inside ? undefined : place.path.at(-1)
  const options = Object.keys(found.properties)
    .filter((name) => name === own || !there.has(name))
    .map((name, at) => {
      const required = found.required?.includes(name) === true
      // In the order of the schema, which is the order in which people write them.
      return { ...member(name, schema.at([...path, name]), required, inside), boost: (required ? 50 : 0) - at }
    })
  if (!inside)
    return { from: place.node.from, to: place.node.to, options: narrowed(context, place, options), filter: false }
  return { from: typed?.from ?? context.pos, options, validFor: /^"?\w*$/ }
}

/** Inside quotes the quotes belong to what is replaced, so what was typed has to be compared here. */
function narrowed(context: CompletionContext, place: Place, options: Completion[]): Completion[] {
  const typed = context.state.sliceDoc(place.node.from, context.pos).replaceAll('"', '').toLowerCase()
  return options.filter(({ label }) => label.toLowerCase().includes(typed))
}

function member(name: string, schema: Schema | undefined, required: boolean, whole: boolean): Completion {
  const about = {
    label: name,
    type: 'property',
    detail: required ? 'required' : (schema?.type ?? ''),
    ...(schema?.description === undefined ? {} : { info: schema.description }),
  }
  if (!whole) return { ...about, apply: JSON.stringify(name) }
  const value = skeletonOf(schema).replace('#', '${}')
  return snippetCompletion(`${JSON.stringify(name)}: ${value}`, about)
}

function valuesFor(context: CompletionContext, place: Place, { schema, providers }: Known): CompletionResult | null {
  const { path, node } = place
  const options = offered(context.state, place, schema, providers)
  if (options.length === 0) return null
  const onString = node.name === 'String'
  const typed = context.matchBefore(/"?[\w./-]*$/)
  if (!context.explicit && !onString && (typed === null || typed.from === typed.to)) return null
  const from = onString ? node.from : (typed?.from ?? context.pos)
  const begun = context.state.sliceDoc(from, context.pos).replaceAll('"', '').toLowerCase()
  const fit = options.filter(({ label }) => label.toLowerCase().includes(begun) && label !== path.at(-1))
  return { from, ...(onString ? { to: node.to } : {}), options: fit, filter: false }
}

function offered(state: EditorState, { path }: Place, schema: PlanSchema, providers: readonly string[]): Completion[] {
  const value = (text: string, detail: string): Completion => ({
    label: text,
    apply: JSON.stringify(text),
    type: 'text',
    detail,
  })
  const [, index, member] = path
  if (member === 'dependencies' && path[0] === 'steps') {
    return stepIds(state)
      .filter((_, at) => at !== index)
      .map((id) => value(id, 'step'))
  }
  if (member === 'provider') return providers.map((id) => value(id, 'provider'))
  const found = schema.at(path)
  return found === undefined
    ? []
    : valuesOf(found).map((text) => ({ label: text.replaceAll('"', ''), apply: text, type: 'enum' }))
}

/** `{{` inside a description offers the outputs of the other steps. */
function templates(context: CompletionContext, { path, node }: Place): CompletionResult | null {
  if (path.at(-1) !== 'description' || path.length < 3 || node.name !== 'String') return null
  const begun = context.matchBefore(/\{\{[^{}"]*$/)
  if (begun === null) return null
  const own = path[1]
  const options = stepIds(context.state)
    .filter((_, index) => index !== own)
    .map((id) => ({ label: `{{steps.${id}.output}}`, type: 'variable', detail: 'output' }))
  return { from: begun.from, options, validFor: /^\{\{[^{}"]*$/ }
}

/** What the schema says of the member under the pointer. */
export const planHints = (schema: PlanSchema) =>
  hoverTooltip((view, position): Tooltip | null => {
    const place = placeAt(view.state, position)
    if (place === undefined || place.kind === 'inside' || place.path.length === 0) return null
    const found = schema.at(place.path)
    if (found?.description === undefined) return null
    const name = String(place.path.filter((part) => typeof part === 'string').at(-1) ?? '')
    const { from, to } = place.node
    return {
      pos: from,
      end: to,
      above: true,
      create: () => ({
        dom: h(
          'div',
          { class: 'hint' },
          h('p', {}, h('strong', {}, name), ' ', h('span', { class: 'hint-type' }, typeWords(found))),
          h('p', {}, found.description ?? ''),
        ),
      }),
    }
  })
