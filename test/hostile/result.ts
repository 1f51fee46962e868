/** What a reader of hostile files gives when it reads one; a refusal is a thrown PivotError. */
export interface Result {
  rows?: number;
  row_groups?: number;
  samples?: number;
  entry?: string;
  width?: number;
  height?: number;
  /** SHA-256 of the decoded RGB, u8 [height, width, 3]. */
  rgb_sha256?: string;
  warnings: string[];
  /** Further values by the name that a case gives them, such as `row_2_chosen`. */
  [key: string]: unknown;
}
