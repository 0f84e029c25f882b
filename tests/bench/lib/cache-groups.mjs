// Files of groups (tests/bench/cache-groups.txt) and of templates (cache-templates.txt) as labelled pairs of the semantic cache.

/** How often each template is filled, and the seed of what it is filled with: stated, so that a fit can be made again. */
const fillings = 6
const seed = 20261130

/** Blocks of a file: [{ family, same, other }]; lines that begin with # are remarks, those with @ lists of templates. */
function blocksOf(text) {
  const blocks = []
  let family = ''
  for (const block of text.replaceAll(/^[#@] ?.*\n/gm, '').split(/\n\n+/)) {
    const all = block.split('\n').filter(Boolean)
    if (all[0]?.startsWith('[')) family = all.shift().slice(1, -1)
    if (all.length === 0) continue
    const marked = (line) => line.startsWith('!')
    blocks.push({
      family,
      same: all.filter((line) => !marked(line)),
      other: all.filter(marked).map((line) => line.slice(1).trim()),
    })
  }
  return blocks
}

/** Requests of a group among each other, in turn, and each with what its answer does not serve: [label, family, a, b]. */
function pairsOfBlock({ family, same, other }) {
  return same.flatMap((a, i) => [
    ...same.slice(i + 1).map((b, j) => [1, family, ...(j % 2 === 0 ? [a, b] : [b, a])]),
    ...other.map((b) => [0, family, a, b]),
  ])
}

const asLines = (pairs) => pairs.map((fields) => fields.join('\t'))

export const pairsOfGroups = (text) => asLines(blocksOf(text).flatMap(pairsOfBlock))

/** Multiplicative congruential generator of Park and Miller. */
function generator(state) {
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}

/** Every template filled some times; each template is a family of its own, so that none is on both sides of a split. */
export function pairsOfTemplates(text) {
  const lists = new Map()
  for (const [, name, words] of text.matchAll(/^@(\w+): (.*)$/gm)) lists.set(name, words.split(' | '))
  const pairs = blocksOf(text).flatMap((block, index) => {
    const pick = generator(seed + index)
    return Array.from({ length: fillings }, () => {
      const chosen = new Map()
      const fill = (line) =>
        line.replaceAll(/\{([a-z]+)(\d?)\}/g, (_, name, digit) => {
          const words = lists.get(name)
          if (!words) throw new Error(`cache-templates.txt: no list @${name}`)
          if (!chosen.has(name)) chosen.set(name, pick(words.length))
          return words[(chosen.get(name) + (digit ? Number(digit) - 1 : 0)) % words.length]
        })
      const family = `${block.family} ${index + 1}`
      return pairsOfBlock({ family, same: block.same.map(fill), other: block.other.map(fill) })
    }).flat()
  })
  return asLines([...new Map(pairs.map((pair) => [pair.join('\t'), pair])).values()])
}
