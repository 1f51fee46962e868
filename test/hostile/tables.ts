/** Reads a hostile Parquet file as rows of preferences. */
export { read } from './rows.ts';
