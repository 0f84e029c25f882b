// What linters find and eyes do not: the recommended rules, for faults alone. Layout is prettier's.
import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'aetherflow-out/', 'bindings/generated/', 'node_modules/'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    // The compiler knows the names of TypeScript; those of plain scripts differ by where they run.
    rules: { 'no-undef': 'off' },
  },
  {
    rules: {
      // Terminals and providers send them, so tests and filters name them.
      'no-control-regex': 'off',
      // Leading underscore: taken because the place asks for it.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      '@typescript-eslint/no-empty-object-type': 'off',
    },
  },
)
