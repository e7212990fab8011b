/** What was published about the four systems: figures, claims, and where these contradict themselves. */
import { publishedBidding } from "./bidding.ts";
import { publishedGeecache } from "./geecache.ts";
import { publishedOrdersScaling } from "./orders-scaling.ts";
import type { PublishedSystem } from "./systems.ts";

export { publishedBazaar } from "./bazaar.ts";
export { checkPublishedBidding, type PublishedBidding, publishedBidding } from "./bidding.ts";
export { type Claim, claims } from "./claims.ts";
export { type PublishedFigure, publishedFigures } from "./figures.ts";
export { type PublishedGeecache, publishedGeecache } from "./geecache.ts";
export { publishedOrdersEnvironments } from "./orders-environments.ts";
export { type PublishedOrdersScaling, publishedOrdersScaling } from "./orders-scaling.ts";
export { publishedDir } from "./read-published.ts";
export { type PublishedSystem, publishedSystems } from "./systems.ts";

export interface Contradiction {
  readonly system: PublishedSystem;
  readonly source: string;
  readonly text: string;
}

/**
 * Where the published figures contradict themselves or each other.
 * @throws LabError DATA_DAMAGED
 */
export function contradictions(
  only: { readonly system?: PublishedSystem | undefined } = {},
  directory?: string,
): Contradiction[] {
  return [publishedOrdersScaling(directory), publishedBidding(directory), publishedGeecache(directory)]
    .filter(({ system }) => only.system === undefined || system === only.system)
    .flatMap(({ system, source, contradictions }) =>
      contradictions.map((text) => ({ system, source, text })),
    );
}
