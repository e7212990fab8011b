/** The systems of which something was published. */
export const publishedSystems = ["orders", "bidding", "geecache", "bazaar"] as const;

export type PublishedSystem = (typeof publishedSystems)[number];
