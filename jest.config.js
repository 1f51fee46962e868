/** Types are stripped and not checked here; type errors are the job of `npm run check`. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/scripts/jest-transform.mjs' },
  testMatch: ['**/*.test.ts'],
  // A slow machine with a software GPU is no fault of a test.
  testTimeout: 600_000,
  maxWorkers: 2,
};
