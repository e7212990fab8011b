/** The live pages of a lab, as people visit them, and the gateway behind, to which somebody else bids. */

import assert from "node:assert/strict";
import { waitFor } from "@parallax/testkit";
import type { Page } from "playwright-core";
import type { Test } from "tap";
import { load, newPage, startChromium } from "./chromium.ts";
import type { OwnLab } from "./own-lab.ts";

interface Terms {
  readonly item?: string;
  readonly starting_price?: number;
  readonly min_increment?: number;
  readonly seconds?: number;
}

export async function openSite(t: Test, { settings }: OwnLab) {
  const { biddingApi, biddingLive } = settings.ports;
  const api = `http://127.0.0.1:${biddingApi}/auctions`;
  const url = `http://127.0.0.1:${biddingLive}`;
  const browser = await startChromium(t);
  const post = (url: string, body: object) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
  return {
    url,
    /** Opens an auction; resolves to its id. */
    async open({ item = "A lamp", starting_price = 1000, min_increment = 50, seconds = 3600 }: Terms = {}) {
      const ends_at = new Date(Date.now() + seconds * 1000).toISOString();
      const answer = await post(api, { item, starting_price, min_increment, ends_at });
      return ((await answer.json()) as { auction_id: string }).auction_id;
    },
    async bid(id: string, bidder_id: string, amount: number): Promise<number> {
      const answer = await post(`${api}/${id}/bids`, { bidder_id, amount });
      await answer.body?.cancel();
      return answer.status;
    },
    async find(id: string): Promise<Record<string, unknown>> {
      return (await (await fetch(`${api}/${id}`)).json()) as Record<string, unknown>;
    },
    /** A page in a browser profile of its own, which may complain of nothing. */
    async visit(t: Test, path: string, options: Parameters<typeof newPage>[1] = {}): Promise<Page> {
      const { page, context, complaints } = await newPage(browser, options);
      t.teardown(async () => {
        await context.close();
        assert.deepEqual(complaints, [], "the page complains of nothing");
      });
      await load(page, () => page.goto(url + path));
      return page;
    },
  };
}

/** Waits until the element says this. */
export async function says(
  page: Page,
  selector: string,
  text: string | RegExp,
  timeoutMs = 20_000,
): Promise<void> {
  let said: string | null = null;
  const isSaid = async () => {
    said = await page.textContent(selector, { timeout: 1000 });
    return typeof text === "string" ? said === text : text.test(said ?? "");
  };
  await waitFor(`${selector} to say ${text}`, isSaid, timeoutMs).catch((cause) => {
    throw new Error(`${selector} says ${JSON.stringify(said)}, not ${text}`, { cause });
  });
}
