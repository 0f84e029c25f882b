/** Making elements without markup in strings: nothing that a plan or an answer says can become HTML. */

export type Child = Node | string | undefined | false
export interface Properties {
  /** Attributes; false and undefined leave one out, true sets it empty. */
  readonly [attribute: string]: string | number | boolean | undefined | ((event: never) => void)
}

/** `h('button', { class: 'x', onclick: () => … }, 'Run')`. Members that are functions become listeners: `onclick` of `click`. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  append(element, children)
  return element
}

export function append(parent: ParentNode, children: readonly Child[]): void {
  for (const child of children) if (child !== undefined && child !== false) parent.append(child)
}

/** Replaces what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren()
  append(element, children)
}

const svgSpace = 'http://www.w3.org/2000/svg'

/** An icon of 16 × 16 drawn by one path, for eyes only: what it means stands beside it or in a label. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(svgSpace, 'svg')
  const drawn = document.createElementNS(svgSpace, 'path')
  for (const [name, value] of [
    ['viewBox', '0 0 16 16'],
    ['width', '16'],
    ['height', '16'],
    ['aria-hidden', 'true'],
    ['class', 'icon'],
  ] as const)
    svg.setAttribute(name, value)
  drawn.setAttribute('d', path)
  svg.append(drawn)
  return svg
}

export const icons = {
  run: 'M4 2.5v11l9-5.5z',
  stop: 'M3.5 3.5h9v9h-9z',
  close: 'M3.5 2.4 8 6.9l4.5-4.5 1.1 1.1L9.1 8l4.5 4.5-1.1 1.1L8 9.1l-4.5 4.5-1.1-1.1L6.9 8 2.4 3.5z',
  plus: 'M7.2 2.5h1.6v4.7h4.7v1.6H8.8v4.7H7.2V8.8H2.5V7.2h4.7z',
  minus: 'M2.5 7.2h11v1.6h-11z',
  fit: 'M2 2h4.5v1.6h-2L7 6.1 6.1 7 3.6 4.5v2H2zM14 14H9.5v-1.6h2L9 9.9l.9-.9 2.5 2.5v-2H14z',
} as const

/** One call a frame, however often it is asked for. */
export class FrameLoop {
  readonly #draw: (now: number) => void
  #request = 0

  constructor(draw: (now: number) => void) {
    this.#draw = draw
  }

  ask(): void {
    this.#request ||= requestAnimationFrame((now) => {
      this.#request = 0
      this.#draw(now)
    })
  }

  stop(): void {
    cancelAnimationFrame(this.#request)
    this.#request = 0
  }
}

export const reducedMotion = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches
