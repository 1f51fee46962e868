/**
 * The compiler's only view of the outside: texts, headers of weights, and hashes of data. The command line passes an
 * implementation in, tests pass one made of strings. All paths are as the user wrote them, relative to the main text,
 * or `std:` followed by a path inside the standard library.
 */
export interface HostTensors {
  /** `file` is the path of the file that holds the tensor. */
  tensors: { name: string; dtype: string; shape: number[]; file: string }[];
  /** What was found odd, and is no reason to refuse. */
  warnings: string[];
}

/** A tensor by its name, and the path of its file. */
export interface TensorInFile {
  file: string;
  name: string;
}

export interface Host {
  /** The text of a file, or undefined if there is none. */
  read(path: string): string | undefined;
  /** Names in a folder (no order promised), or undefined if there is none. */
  list(path: string): string[] | undefined;
  /** The tensors of a safetensors file or of a checkpoint's folder, read from headers. Throws a PivotError if it is damaged. */
  tensors(path: string): HostTensors | undefined;
  /** Whether two tensors of safetensors files have the same values, in whatever types they are stored. Reads both. Throws as `tensors`. */
  sameTensor(one: TensorInFile, other: TensorInFile): boolean;
  /** Hash of a file's content, or of a folder's names and contents. */
  hash(path: string): string | undefined;
}
