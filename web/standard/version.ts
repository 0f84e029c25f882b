/** The package's version, where no package.json can be read; a test compares the two. */
export const version = '0.1.0'
