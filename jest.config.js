/** TypeScript is stripped by swc; type errors are the job of `npm run check`. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  testMatch: ['**/*.test.ts'],
  // A slow machine with a software GPU is no fault of a test.
  testTimeout: 600_000,
  maxWorkers: 2,
};
