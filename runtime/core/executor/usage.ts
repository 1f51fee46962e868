/** The flags of the WebGPU specification (sections 5.1.2 and 5.2.1). As numbers, since Node has no such globals. */

export const BufferUsage = {
  MAP_READ: 0x0001,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
  QUERY_RESOLVE: 0x0200,
} as const;

export const MapMode = { READ: 0x0001 } as const;

export const ShaderStage = { COMPUTE: 0x4 } as const;

/** Where a tensor may begin in a buffer: the largest offset alignment that a device may ask for. */
export const ALIGNMENT = 256;

export function alignUp(bytes: number, to: number = ALIGNMENT): number {
  return Math.ceil(bytes / to) * to;
}
