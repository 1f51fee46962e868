/**
 * TypeScript for jest: swc strips the types, and the globals that a module uses become constants of the module. jest runs tests in contexts
 * whose globals are looked up by an interceptor, and a loop over `Math.max` takes ten times as long there as in Node.
 */
import swc from '@swc/jest';

/** What tests never replace; timers and dates are left alone, since jest can fake them. */
const GLOBALS = [
  ...['Array', 'BigInt', 'Error', 'Infinity', 'JSON', 'Map', 'Math', 'NaN', 'Number', 'Object', 'Promise', 'RangeError', 'RegExp'],
  ...['Set', 'String', 'Symbol', 'TypeError', 'WeakMap', 'WeakSet', 'ArrayBuffer', 'DataView', 'Float32Array', 'Float64Array'],
  ...['Int8Array', 'Int16Array', 'Int32Array', 'Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'BigInt64Array'],
];

const inner = swc.createTransformer({ jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });

/** On the first line, so that lines keep their numbers. */
function withConstants({ code, ...rest }) {
  const used = GLOBALS.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  return { code: used.length > 0 ? `const { ${used.join(', ')} } = globalThis; ${code}` : code, ...rest };
}

export default {
  canInstrument: false,
  getCacheKey: (...args) => `${inner.getCacheKey(...args)}${GLOBALS.join('')}`,
  process: (...args) => withConstants(inner.process(...args)),
  processAsync: async (...args) => withConstants(await inner.processAsync(...args)),
};
