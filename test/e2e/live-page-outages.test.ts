/** The live page in a real Chromium while the broadcaster hangs or is away, or answers come late or never: it says so, and comes back. */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { openSite, says } from "../lib/bidding-site.ts";
import { load, withoutChromium } from "../lib/chromium.ts";
import { ownLab } from "../lib/own-lab.ts";

t.setTimeout(600_000);

t.test("the live page, of servers that do not answer", { skip: withoutChromium() }, async (t) => {
  const lab = await ownLab(t, { PROFILE: "bidding" });
  const site = await openSite(t, lab);

  t.test(
    "a broadcaster that hangs is not live, and says nothing of the price; when it goes on, the page is live again",
    async (t) => {
      const id = await site.open();
      const page = await site.visit(t, `/auctions/${id}`);
      await says(page, "#link", "Live");
      await page.getByLabel("Your name").fill("Ann");
      await page.keyboard.press("Enter");
      await says(page, "#mine", "You lead");
      const colours = () =>
        page.evaluate<string[]>(
          '["price", "mine", "step"].map((id) => getComputedStyle(document.getElementById(id)).color)',
        );
      const [bright, lead, text] = await colours();
      t.ok(bright === text && lead !== text);
      const began = performance.now();
      t.teardown(() => lab.runtime.kill("bidding-broadcaster", "SIGCONT"));
      await lab.runtime.kill("bidding-broadcaster", "SIGSTOP");
      await says(page, "#link", /^Not live – reconnecting/, 30_000);
      const seconds = (performance.now() - began) / 1000;
      t.ok(seconds > 5 && seconds < 20, `it was said after ${seconds.toFixed(1)} s of silence`);
      const [price, mine] = await colours();
      t.not(price, bright, "the price is dim");
      t.equal(mine, price, "and so is who leads");
      t.equal(await site.bid(id, "Bob", 2000), 201);
      await lab.runtime.kill("bidding-broadcaster", "SIGCONT");
      await says(page, "#link", "Live", 60_000);
      await says(page, "#price", "2,000");
      await says(page, "#mine", "You are outbid");
    },
  );

  t.test("where nothing happens, a page stays live on one connection", async (t) => {
    const id = await site.open();
    const page = await site.visit(t, `/auctions/${id}`);
    await says(page, "#link", "Live");
    let [sockets, ticks, lost] = [0, 0, 0];
    page.on("websocket", (socket) => {
      sockets += 1;
      socket.on("framereceived", ({ payload }) => {
        if (payload === '{"type":"tick"}') ticks += 1;
      });
    });
    await load(page, () => page.reload());
    // More than the time after which silence is taken for a broadcaster that hangs.
    await waitFor(
      "three ticks",
      async () => {
        if ((await page.textContent("#link"))?.startsWith("Not live")) lost += 1;
        return ticks >= 3;
      },
      30_000,
    );
    t.same([sockets, lost], [1, 0]);
  });

  t.test(
    "while the broadcaster is away the page says so; then it is live again, with what happened",
    async (t) => {
      const id = await site.open();
      const page = await site.visit(t, `/auctions/${id}`);
      await says(page, "#link", "Live");
      await page.getByLabel("Your name").fill("Ann");
      await lab.runtime.stop("bidding-broadcaster");
      await says(page, "#link", /^Not live – reconnecting/);
      t.equal(await site.bid(id, "Bob", 1000), 201);
      await page.getByLabel("Your bid").fill("1,200");
      await page.keyboard.press("Enter");
      await says(page, "#outcome", /^No answer to your bid of 1,200 yet. Asking again/);
      await lab.runtime.start("bidding-broadcaster");
      await says(page, "#link", "Live", 60_000);
      await says(page, "#outcome", "Accepted: your bid of 1,200 is the highest.", 60_000);
      await says(page, "#price", "1,200");
      t.match(await site.find(id), { seq: 2, highest: 1200 }, "it counted once");
    },
  );

  t.test("a bid that waits for its answer says so", async (t) => {
    const id = await site.open();
    const page = await site.visit(t, `/auctions/${id}`);
    await says(page, "#link", "Live");
    const held = Promise.withResolvers<void>();
    t.teardown(() => held.resolve());
    await page.route("**/bids", async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.getByLabel("Your name").fill("Ann");
    await page.keyboard.press("Enter");
    await says(page, "#outcome", "Sending your bid of 1,000…");
    await says(page, "#outcome", "No answer to your bid of 1,000 yet; still asking.", 10_000);
    held.resolve();
    await says(page, "#outcome", "Accepted: your bid of 1,000 is the highest.");
  });

  t.test("a bid whose answer is lost is sent again by itself, the same, and counts once", async (t) => {
    const id = await site.open();
    const page = await site.visit(t, `/auctions/${id}`);
    await says(page, "#link", "Live");
    const sent: string[] = [];
    await page.route("**/bids", async (route) => {
      sent.push((route.request().postDataJSON() as { bid_id: string }).bid_id);
      const answer = await route.fetch();
      if (sent.length < 3) await route.abort();
      else await route.fulfill({ response: answer });
    });
    await page.getByLabel("Your name").fill("Ann");
    await page.keyboard.press("Enter");
    await says(page, "#outcome", "Accepted: your bid of 1,000 is the highest.");
    t.equal(sent.length, 3);
    t.equal(new Set(sent).size, 1);
    t.match(await site.find(id), { seq: 1 });
  });

  t.test(
    "when no answer ever comes, it is said that nobody knows, and the same bid can be placed again",
    async (t) => {
      const id = await site.open();
      const page = await site.visit(t, `/auctions/${id}`);
      await says(page, "#link", "Live");
      // The page's waits are not waited for.
      await page.clock.install();
      await page.route("**/bids", (route) => route.abort());
      await page.getByLabel("Your name").fill("Ann");
      await page.keyboard.press("Enter");
      await waitFor("the page to give up", async () => {
        await page.clock.runFor(10_000);
        return (await page.textContent("#outcome"))?.startsWith("It is not known whether your bid of 1,000");
      });
      await page.unroute("**/bids");
      await page.getByRole("button", { name: "Place bid" }).click();
      await says(page, "#outcome", "Accepted: your bid of 1,000 is the highest.");
    },
  );
});
