// What the project needs from the system, how it is found, and what it is called by each package manager.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import path from 'node:path'

/** Full path of a program on PATH, or `undefined`. */
export function which(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  return undefined
}

const ask = (program, ...args) => spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 }).stdout ?? ''

function fakeTime() {
  const folders = existsSync('/usr/lib')
    ? ['/usr/lib', ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)]
    : []
  return folders.map((folder) => `${folder}/faketime/libfaketimeMT.so.1`).find((file) => existsSync(file))
}

const threeParts = /(\d+)\.(\d+)\.(\d+)/

/** The first of `names` on PATH whose version is at least `least` ("major.minor.patch"; missing parts are 0). */
function program(names, least, pattern = /(\d+)\.(\d+)(?:\.(\d+))?/) {
  const wanted = least.split('.').map(Number)
  for (const name of names) {
    const file = which(name)
    if (file === undefined) continue
    const found = (pattern.exec(ask(file, '--version')) ?? []).slice(1).map((part) => Number(part ?? 0))
    for (let i = 0; i < 3; ++i) {
      const difference = (found[i] ?? 0) - (wanted[i] ?? 0)
      if (difference > 0 || (difference === 0 && i === 2)) return file
      if (difference < 0) break
    }
  }
  return undefined
}

const header = (name) =>
  ['/usr/include', '/usr/local/include', '/opt/homebrew/include', '/opt/local/include']
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file))

/** A Clang that links libFuzzer: its run-time library is a package of its own in Debian, and absent from Apple's. */
function fuzzingClang() {
  for (const name of ['clang++-14', 'clang++']) {
    const file = which(name)
    if (file === undefined) continue
    const folder = ask(file, '--print-runtime-dir').trim()
    const older = path.join(path.dirname(folder), 'linux')
    for (const place of [folder, older]) {
      if (existsSync(place) && readdirSync(place).some((entry) => entry.startsWith('libclang_rt.fuzzer'))) return file
    }
  }
  return undefined
}

/** Names under which one that playwright-core can drive is installed. */
const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/**
 * One row a need. `for`: which commands want it ("start" wants what "start" names, "test" wants all). `find` gives the file that
 * satisfies it. `optional`: without it CMake fetches the same version, or a check is skipped with a message.
 */
export const needs = {
  cmake: {
    words: 'CMake 3.24 or newer',
    for: 'start',
    find: () => program(['cmake'], '3.24'),
    names: { apt: ['cmake'], brew: ['cmake'], dnf: ['cmake'], pacman: ['cmake'] },
  },
  ninja: {
    words: 'Ninja',
    for: 'start',
    find: () => which('ninja') ?? which('ninja-build'),
    names: { apt: ['ninja-build'], brew: ['ninja'], dnf: ['ninja-build'], pacman: ['ninja'] },
  },
  emscripten: {
    words: 'Emscripten 3.1.6 or newer (em++, emcmake)',
    for: 'start',
    find: () => (which('emcmake') ? program(['em++'], '3.1.6', /\) (\d+)\.(\d+)\.(\d+)/) : undefined),
    names: { apt: ['emscripten'], brew: ['emscripten'], dnf: ['emscripten'], pacman: ['emscripten'] },
  },
  xtensor: {
    words: 'xtensor and xtl headers',
    for: 'start',
    optional: true,
    find: () => header('xtensor/xtensor.hpp') ?? header('xtensor/containers/xtensor.hpp'),
    names: { apt: ['libxtensor-dev'], brew: ['xtensor'], dnf: ['xtensor-devel'], pacman: ['xtensor'] },
  },
  json: {
    words: 'nlohmann/json 3.11 headers',
    for: 'test',
    optional: true,
    find: () => header('nlohmann/json.hpp'),
    names: { apt: ['nlohmann-json3-dev'], brew: ['nlohmann-json'], dnf: ['json-devel'], pacman: ['nlohmann-json'] },
  },
  compiler: {
    words: 'a C and C++20 compiler: GCC 12, Clang 14 or newer',
    for: 'test',
    // GoogleTest's build asks for a C compiler too. Debian's clang++-14, there for Emscripten, comes without the name `cc`.
    find: () =>
      which('cc') ? program([process.env.CXX ?? 'c++', 'g++', 'g++-12', 'clang++'], '12', threeParts) : undefined,
    names: { apt: ['g++'], brew: ['llvm'], dnf: ['gcc-c++'], pacman: ['gcc'] },
  },
  googletest: {
    words: 'GoogleTest sources',
    for: 'test',
    optional: true,
    find: () => ['/usr/src/googletest/CMakeLists.txt'].find((file) => existsSync(file)),
    names: { apt: ['googletest'], brew: ['googletest'], dnf: ['gtest-devel'], pacman: ['gtest'] },
  },
  clangFormat: {
    words: 'clang-format 14 (the check of the C++ formatting)',
    for: 'test',
    optional: true,
    find: () => which('clang-format-14'),
    names: { apt: ['clang-format-14'] },
  },
  chromium: {
    words: 'Chromium (the tests in a browser)',
    for: 'test',
    optional: true,
    find: () => process.env.AETHERFLOW_CHROMIUM ?? browsers.map(which).find((file) => file !== undefined),
    names: { apt: ['chromium'], dnf: ['chromium'], pacman: ['chromium'] },
  },
  bubblewrap: {
    words: 'bubblewrap (the tests of one of the boxes)',
    for: 'test',
    optional: true,
    find: () => which('bwrap'),
    names: { apt: ['bubblewrap'], dnf: ['bubblewrap'], pacman: ['bubblewrap'] },
  },
  redis: {
    words: 'Redis (the tests of several machines)',
    for: 'test',
    optional: true,
    find: () => which('redis-server'),
    names: { apt: ['redis-server'], brew: ['redis'], dnf: ['redis'], pacman: ['redis'] },
  },
  faketime: {
    words: 'libfaketime (the tests of machines whose clocks differ)',
    for: 'test',
    optional: true,
    find: fakeTime,
    names: { apt: ['libfaketime'], dnf: ['libfaketime'], pacman: ['libfaketime'] },
  },
  fuzzer: {
    words: 'Clang with libFuzzer (the fuzz stage)',
    for: 'test',
    optional: true,
    find: fuzzingClang,
    names: { apt: ['clang-14', 'libclang-rt-14-dev'], dnf: ['clang', 'compiler-rt'], pacman: ['clang', 'compiler-rt'] },
  },
}

/** The package manager of this system: `apt`, `brew`, `dnf`, `pacman`, or `undefined`. */
export function packageManager() {
  if (process.platform === 'darwin') return 'brew'
  return [
    ['apt', 'apt-get'],
    ['dnf', 'dnf'],
    ['pacman', 'pacman'],
  ].find(([, command]) => which(command))?.[0]
}

/** What to tell a person whose system lacks `missing` (keys of `needs`), by the names their package manager knows. */
export function advice(missing, manager) {
  const install = { apt: 'apt-get install', brew: 'brew install', dnf: 'dnf install', pacman: 'pacman -S' }[manager]
  const lines = ['This system lacks:', ...missing.map((key) => `  - ${needs[key].words}`)]
  const packages = missing.flatMap((key) => needs[key].names[manager] ?? [])
  if (install !== undefined && packages.length > 0) {
    const admin = manager === 'brew' ? '' : 'sudo '
    lines.push('Install it, then run the same command again:', `  ${admin}${install} ${packages.join(' ')}`)
  } else {
    lines.push('Install it so that it is on PATH, then run the same command again.')
  }
  if (missing.includes('emscripten'))
    lines.push('Emscripten for any system: https://emscripten.org/docs/getting_started')
  return lines.join('\n')
}
