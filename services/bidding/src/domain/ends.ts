/** What announcing the ends of auctions needs of the world. */

export interface EndTimers {
  /** One for each auction. Its time is not exact, nor by Redis's clock. @throws DependencyUnavailable */
  set(auctionId: string, inMs: number): Promise<void>;
  /**
   * Calls `onDue` for auctions whose time has come, those of other gateways too.
   * @param onDue resolves to the milliseconds after which to be called again, or undefined when that is done; what it throws
   * makes it be called again a few times
   */
  start(onDue: (auctionId: string) => Promise<number | undefined>): void;
  stop(): Promise<void>;
}
