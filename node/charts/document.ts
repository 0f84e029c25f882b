/**
 * As much of a document as the drawing library asks for: elements with attributes, and text. A whole DOM would be three times the
 * library's size, and none of the rest is used. What is written down is escaped here, so that a chart may hold strangers' words.
 */
import { xml } from '../../web/standard/report/timeline.js'

class TextNode {
  parentNode: ElementNode | null = null
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }
  get outerHTML(): string {
    return xml(this.#text)
  }
}

type Child = ElementNode | TextNode

export class ElementNode {
  readonly ownerDocument: ChartDocument
  readonly namespaceURI: string
  readonly tagName: string
  parentNode: ElementNode | null = null
  readonly #attributes = new Map<string, string>()
  #children: Child[] = []

  constructor(ownerDocument: ChartDocument, namespaceURI: string, tagName: string) {
    this.ownerDocument = ownerDocument
    this.namespaceURI = namespaceURI
    this.tagName = tagName
  }

  /** What the library says of its groups is heard by nobody, as a chart is one image with words of its own: see `describe`. */
  setAttribute(name: string, value: unknown): void {
    if (!name.startsWith('aria-')) this.#attributes.set(name, String(value))
  }
  /** Makes it an image with these words. */
  describe(words: string): void {
    this.#attributes.set('role', 'img').set('aria-label', words)
  }
  setAttributeNS(_space: string, name: string, value: unknown): void {
    this.setAttribute(name, value)
  }
  getAttribute(name: string): string | null {
    return this.#attributes.get(name) ?? null
  }
  removeAttribute(name: string): void {
    this.#attributes.delete(name)
  }

  get childNodes(): readonly Child[] {
    return this.#children
  }
  get firstChild(): Child | null {
    return this.#children[0] ?? null
  }
  append(...children: readonly (Child | string)[]): void {
    for (const child of children) this.appendChild(typeof child === 'string' ? new TextNode(child) : child)
  }
  appendChild(child: Child): Child {
    return this.insertBefore(child, null)
  }
  /** `before`: a child of this element, or null for the end. */
  insertBefore(child: Child, before: Child | null): Child {
    child.parentNode?.removeChild(child)
    this.#children.splice(before === null ? this.#children.length : this.#children.indexOf(before), 0, child)
    child.parentNode = this
    return child
  }
  removeChild(child: Child): Child {
    this.#children = this.#children.filter((one) => one !== child)
    child.parentNode = null
    return child
  }
  set textContent(text: string) {
    this.#children = text === '' ? [] : [new TextNode(text)]
  }

  get outerHTML(): string {
    const attributes = [...this.#attributes].map(([name, value]) => ` ${name}="${xml(value)}"`).join('')
    return `<${this.tagName}${attributes}>${this.#children.map((child) => child.outerHTML).join('')}</${this.tagName}>`
  }
}

export class ChartDocument {
  readonly documentElement = new ElementNode(this, 'http://www.w3.org/1999/xhtml', 'html')

  createElementNS(space: string, name: string): ElementNode {
    return new ElementNode(this, space, name)
  }
  createElement(name: string): ElementNode {
    return this.createElementNS('http://www.w3.org/1999/xhtml', name)
  }
  createTextNode(text: string): TextNode {
    return new TextNode(text)
  }
}
