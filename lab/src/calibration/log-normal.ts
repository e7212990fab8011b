/**
 * A log-normally distributed number, by Box and Muller: how service times are spread, with few that take long.
 * @param random gives numbers in [0, 1)
 * @param variation coefficient of variation, standard deviation ÷ mean; 0 gives the mean each time
 */
export function logNormal(random: () => number, mean: number, variation: number): number {
  const variance = Math.log(1 + variation ** 2);
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return mean * Math.exp(Math.sqrt(variance) * normal - variance / 2);
}
