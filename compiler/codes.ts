/**
 * Codes of the compiler's own errors, beside the diagnostics of texts (`grammar/diagnostics/`): what a graph, a kernel or a target refuses.
 * Most of them reach a user as part of a diagnostic that knows the place in the text.
 */
export const COMPILER_CODES = {
  G0101: 'Tensors meet whose shapes or element types do not go together.',
  G0201: 'The gradient of an indexed table needs the positions of its entries, and the index is computed on the device.',
  G0202: 'A graph is evaluated without a value for one of its inputs, states or scalars.',
  G0203: 'A graph is evaluated with a value whose length does not fit its shape.',
  F0301: 'A kernel needs more storage buffers than the target offers, and could not be divided.',
  K0101: 'A kernel binds more storage buffers than the target allows.',
  L0101: 'There is no target of that name.',
  M0101: 'A tensor is larger than the device binds at once.',
} as const;
