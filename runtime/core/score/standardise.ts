/** Zero mean and unit (population) standard deviation for each column, as scikit-learn's `StandardScaler` does. */

/**
 * Takes mean and deviation of the columns of `fitted` [n, width]; the returned function standardises any such matrix in
 * place. A column that is constant up to rounding is only centred.
 */
export function standardiser(fitted: Float64Array, width: number): (matrix: Float64Array) => void {
  const n = fitted.length / width;
  const mean = new Float64Array(width);
  const scale = new Float64Array(width);
  for (let i = 0; i < fitted.length; i++) mean[i % width] += fitted[i] / n;
  for (let i = 0; i < fitted.length; i++) scale[i % width] += (fitted[i] - mean[i % width]) ** 2 / n;
  for (let d = 0; d < width; d++) {
    const deviation = Math.sqrt(scale[d]);
    scale[d] = deviation <= 1e-7 * Math.abs(mean[d]) || deviation === 0 ? 1 : deviation;
  }
  return (matrix) => {
    for (let i = 0; i < matrix.length; i++) matrix[i] = (matrix[i] - mean[i % width]) / scale[i % width];
  };
}
