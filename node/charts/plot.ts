/** What is used of the drawing library. The build puts this file's bundle in its place, so that whoever installs this package installs none. */
export { barX, dot, gridX, gridY, link, plot, ruleX, text, tickX, type Mark } from '@observablehq/plot'
