/** The colours of everything that shows a run, in pages and in reports: name, light, dark. */
export const themeColours: readonly (readonly [name: string, light: string, dark: string])[] = [
  ['bg', '#f4f5f8', '#0d1117'],
  ['surface', '#ffffff', '#151b23'],
  ['raised', '#ffffff', '#1d2530'],
  ['sunken', '#eceef2', '#0a0d12'],
  ['line', '#dde1e7', '#2a323d'],
  ['line-strong', '#8a94a3', '#6b7787'],
  ['text', '#1a202a', '#e6ebf2'],
  ['muted', '#566072', '#9ba7b6'],
  ['accent', '#2f55d4', '#8ca8ff'],
  ['accent-soft', '#e8edfd', '#1e2a4a'],
  ['on-accent', '#ffffff', '#0d1117'],
  ['done', '#18794a', '#4cc38a'],
  ['done-soft', '#e6f4ec', '#12291f'],
  ['failed', '#c02634', '#ff8a90'],
  ['failed-soft', '#fdeaec', '#33181c'],
  ['running', '#2f55d4', '#8ca8ff'],
  ['running-soft', '#e8edfd', '#1a2545'],
  ['ready', '#8a5a00', '#e6b450'],
  ['ready-soft', '#fdf3dc', '#2e2512'],
  ['waiting', '#667082', '#8d98a7'],
  ['waiting-soft', '#ffffff', '#151b23'],
  ['skipped', '#667082', '#8d98a7'],
  ['skipped-soft', '#f1f2f5', '#12161d'],
  ['cancelled', '#7a44b8', '#c6a2f5'],
  ['cancelled-soft', '#f3ecfb', '#241a33'],
  ['provider-deepseek', '#4263eb', '#8ea4ff'],
  ['provider-groq', '#c94a06', '#ff9c5b'],
  ['provider-openai', '#0a8577', '#4fd1c1'],
  ['provider-gemini', '#8a3ad6', '#c89cff'],
  ['provider-mistral', '#946800', '#f0c24f'],
  ['provider-1', '#c7316a', '#ff90b5'],
  ['provider-2', '#3d7d1e', '#93d36b'],
  ['provider-3', '#5b6675', '#a5b0be'],
]

const known = new Set(['deepseek', 'groq', 'openai', 'gemini', 'mistral'])

/** The name of a provider's colour; unknown ones share three by their name. */
export function providerColour(provider: string): string {
  if (known.has(provider)) return `provider-${provider}`
  let sum = 0
  for (const character of provider) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 3
  return `provider-${sum + 1}`
}
