/** What is used of the drawing library. The build replaces this file by its bundle: the package depends on none at run time. */
export { barX, dot, gridX, gridY, link, plot, ruleX, text, tickX, type Mark } from '@observablehq/plot'
