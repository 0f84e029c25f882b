// Tests are compiled by tsc beforehand; Jest runs what it finds, as ES modules.
export default {
  roots: ['<rootDir>/build/tests-js/tests'],
  testMatch: ['**/*.test.js'],
  testEnvironment: 'node',
  transform: {},
  // Machines are shared: how long a test takes says nothing of what it tests.
  testTimeout: 30_000,
  // Tests are compiled apart from what they test: their imports of the product go to its build, the one that is shipped.
  moduleNameMapper: { '^(?:\\.\\./){2,}(bindings|web|node)/(.+\\.js)$': '<rootDir>/dist/$1/$2' },
}
