/**
 * The live page in a real Chromium, on the whole of bidding: people bid against each other, on a phone and by keyboard alone, and an
 * auction ends.
 */

import { waitFor } from "@parallax/testkit";
import t from "tap";
import { openSite, says } from "../lib/bidding-site.ts";
import { load, withoutChromium } from "../lib/chromium.ts";
import { ownLab } from "../lib/own-lab.ts";
import {
  cutTexts,
  faintTexts,
  noteShifts,
  outlineOfFocus,
  overflow,
  smallTargets,
} from "../lib/page-checks.ts";

t.setTimeout(600_000);

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

t.test("without a Chromium these tests are skipped, with how to get one; in CI they fail", async (t) => {
  t.match(withoutChromium({ PATH: "/nowhere" }), /^There is no Chromium on PATH. Install .*CHROMIUM/);
  t.match(
    withoutChromium({ CHROMIUM: "/no/such", PATH: process.env.PATH }),
    /\/no\/such, which cannot be run/,
  );
  t.throws(() => withoutChromium({ PATH: "/nowhere", CI: "true" }), /There is no Chromium/);
});

t.test("the live page", { skip: withoutChromium() }, async (t) => {
  const lab = await ownLab(t, { PROFILE: "bidding" });
  const site = await openSite(t, lab);

  t.test("two people bid against each other by keyboard alone", async (t) => {
    const id = await site.open({ item: "Brass lamp", starting_price: 1000, min_increment: 50 });
    const ann = await site.visit(t, `/auctions/${id}`);
    const bob = await site.visit(t, `/auctions/${id}`);
    await says(ann, "#price", "1,000");
    await says(bob, "#price-label", "No bids yet; starts at");
    for (const [page, name] of [
      [ann, "Ann"],
      [bob, "Bob"],
    ] as const) {
      await page.keyboard.press("Tab");
      t.match(await outlineOfFocus(page), /solid [3-9]px/, "where the keyboard is can be seen");
      await page.keyboard.press("Tab");
      await page.keyboard.type(name);
      t.equal(await page.getByLabel("Your name").inputValue(), name);
    }
    await ann.keyboard.press("Enter");
    await says(ann, "#mine", "You lead");
    await says(ann, "#outcome", "Accepted: your bid of 1,000 is the highest.");
    await says(bob, "#leader", "by Ann");
    await says(bob, "#least-text", "At least 1,050");

    // What stands in the field while he is about to send it is not changed under his hands: he sees why, and sends the new one.
    await bob.keyboard.press("Enter");
    await says(bob, "#outcome", "Your bid of 1,000 was too low: bid at least 1,050.");
    t.equal(await bob.getByLabel("Your bid").inputValue(), "1050");
    await bob.keyboard.press("Enter");
    await says(bob, "#mine", "You lead");
    await says(ann, "#mine", "You are outbid");
    await says(ann, "#outcome", "You have been outbid.");

    await ann.keyboard.press("Tab");
    await ann.keyboard.press("ControlOrMeta+a");
    await ann.keyboard.type("1,500");
    await ann.keyboard.press("Tab");
    await ann.keyboard.press("Tab");
    t.match(await outlineOfFocus(ann), /solid [3-9]px/);
    await ann.keyboard.press("Space");
    await says(bob, "#price", "1,500");
    await says(bob, "#mine", "You are outbid");
    t.match(await site.find(id), { seq: 3, highest: 1500, bidder_id: "Ann" });

    await load(ann, () => ann.reload());
    t.equal(await ann.getByLabel("Your name").inputValue(), "Ann", "the name is remembered");
    await says(ann, "#mine", "You lead");
    await says(bob, "#heard", "Highest bid 1,500, by Ann. You are outbid");
  });

  t.test("what is wrong is said beside the field, and nothing is sent", async (t) => {
    const id = await site.open();
    const page = await site.visit(t, `/auctions/${id}`);
    await says(page, "#link", "Live");
    await page.getByLabel("Your bid").fill("12,34");
    await page.getByRole("button", { name: "Place bid" }).click();
    await says(page, "#name-error", "Enter your name.");
    await says(page, "#amount-error", "Enter a whole number, such as 1250.");
    t.equal(await page.evaluate("document.activeElement.id"), "name");
    await page.keyboard.type("Zoë\u00ad");
    await page.getByRole("button", { name: "Set least" }).click();
    t.equal(await page.getByLabel("Your bid").inputValue(), "1000");
    t.equal(await page.evaluate("document.activeElement.id"), "least", "from there Tab goes on");
    await page.keyboard.press("Tab");
    t.equal(await page.evaluate("document.activeElement.id"), "submit");
    await page.keyboard.press("Enter");
    await waitFor("the server's complaint", async () =>
      (await page.textContent("#name-error"))?.startsWith("Your name must be printable"),
    );
    t.match(await site.find(id), { seq: 0 });
  });

  for (const colorScheme of ["light", "dark"] as const) {
    t.test(`on a phone, ${colorScheme}: all fits, can be touched and read, and nothing moves`, async (t) => {
      const id = await site.open({
        item: "Donaudampfschifffahrtsgesellschaft ".repeat(5).trim(),
        min_increment: 1,
      });
      const page = await site.visit(t, `/auctions/${id}`, { ...PHONE, colorScheme });
      await says(page, "#link", "Live");
      const check = async (what: string) => {
        t.ok((await overflow(page)) <= 0, `${what}: no scrolling sideways`);
        t.same(await smallTargets(page), [], `${what}: what is touched is large enough`);
        t.same(await faintTexts(page), [], `${what}: what is read has contrast`);
      };
      await check("open");
      const shifts = await noteShifts(page);
      const prices = [1000, 1001, 99_999, 1_000_000, 123_456_789, 9_007_199_254_740_900];
      for (const [at, amount] of prices.entries()) {
        const bidder = at % 2 === 0 ? "W".repeat(64) : "x";
        t.equal(await site.bid(id, bidder, amount), 201);
        await says(page, "#price", new Intl.NumberFormat("en-GB").format(amount));
      }
      t.equal(await shifts(), 0, "nothing has moved");
      await check("with the largest price");
      await page.getByLabel("Your name").fill("Ann");
      await page.getByLabel("Your bid").fill("5");
      await page.getByRole("button", { name: "Place bid" }).tap();
      await says(page, "#outcome", /was too low/);
      await check("refused");
      await page.getByRole("button", { name: "Set least" }).tap();
      await page.getByRole("button", { name: "Place bid" }).tap();
      await says(page, "#mine", "You lead");
      await check("leading");
      await load(page, () => page.goto(site.url));
      await waitFor("the list", async () => (await page.locator(".card").count()) > 0);
      await check("the list");
      t.same(await cutTexts(page, ".card .amount"), [], "no amount is cut");
    });
  }

  t.test("when no higher bid is possible, none can be placed", async (t) => {
    const id = await site.open();
    const page = await site.visit(t, `/auctions/${id}`);
    await page.getByLabel("Your name").fill("Ann");
    const place = page.getByRole("button", { name: "Place bid" });
    t.ok(await place.isEnabled());
    t.equal(await site.bid(id, "Bob", Number.MAX_SAFE_INTEGER), 201);
    await says(page, "#least-text", "No higher bid is possible.");
    t.notOk(await place.isEnabled());
    t.notOk(await page.getByRole("button", { name: "Set least" }).isEnabled());
    let sent = 0;
    await page.route("**/bids", (route) => {
      sent += 1;
      return route.continue();
    });
    await page.getByLabel("Your bid").fill("9007199254740991");
    await page.keyboard.press("Enter");
    await place.click({ force: true });
    t.equal(await page.textContent("#outcome"), "");
    t.equal(sent, 0);
  });

  t.test("what ends in a year is told by its day, on both pages", async (t) => {
    const id = await site.open({ item: "Slow lamp", seconds: 400 * 86_400 });
    const page = await site.visit(t, `/auctions/${id}`);
    await says(page, "#left-label", "Ends");
    await says(page, "#left", /^\d+ \w+ 20\d\d$/);
    await load(page, () => page.goto(site.url));
    await says(page, `a[href="/auctions/${id}"] .state`, /^Ends \d+ \w+ 20\d\d · 0 bids$/);
  });

  t.test("an auction ends: who won, no more bids, and the list says so", async (t) => {
    const id = await site.open({ seconds: 30, item: "Ends soon" });
    const ann = await site.visit(t, `/auctions/${id}`);
    const bob = await site.visit(t, `/auctions/${id}`);
    for (const [page, name, amount] of [
      [ann, "Ann", "1000"],
      [bob, "Bob", "1100"],
    ] as const) {
      await says(page, "#link", "Live");
      await page.getByLabel("Your name").fill(name);
      await page.getByLabel("Your bid").fill(amount);
      await page.keyboard.press("Enter");
      await says(page, "#mine", "You lead");
    }
    t.match(await ann.textContent("#left"), /^\d+ s$/);
    await says(bob, "#mine", "You won", 60_000);
    await says(ann, "#mine", "You did not win");
    for (const page of [ann, bob]) {
      await says(page, "#price-label", "Sold for");
      await says(page, "#price", "1,100");
      await says(page, "#link", "Ended");
      t.notOk(await page.getByRole("button", { name: "Place bid" }).isVisible());
    }
    t.equal(await bob.evaluate("document.activeElement.id"), "item", "the keyboard is not left nowhere");
    await load(ann, () => ann.goto(site.url));
    await says(ann, `a[href="/auctions/${id}"] .state`, "Sold to Bob");
    await ann.getByRole("link", { name: /Ends soon/ }).click();
    await says(ann, "#mine", "You did not win", 20_000);
  });

  t.test("the list shows what there is to be heard of, and lets go of the rest", async (t) => {
    for (const item of ["Older", "Newer"]) await site.open({ item });
    const page = await site.visit(t, "/");
    await page.getByRole("link", { name: /Older/ }).waitFor();
    const json = await (await fetch(`${site.url}/auctions?limit=1`)).json();
    await page.route("**/auctions?*", (route) => route.fulfill({ json }));
    const shown = () => page.locator("#auctions > li").allTextContents();
    await waitFor("the older ones to be gone", async () => (await shown()).length === 1, 30_000);
    t.match(await shown(), [/Newer/]);
  });

  t.test("an auction that is not there is said not to be, and is not asked for for ever", async (t) => {
    const page = await site.visit(t, "/auctions/00000000-0000-4000-8000-000000000000");
    let sockets = 0;
    page.on("websocket", () => {
      sockets += 1;
    });
    await says(page, "#notice", "There is no such auction.");
    await says(page, "#link", "Not live");
    t.ok(await page.getByRole("heading", { level: 1, name: "Unknown auction" }).isVisible());
    await page.clock.install();
    await page.clock.runFor(60_000);
    t.ok(sockets <= 1, `${sockets} more attempts`);
    t.notOk(await page.getByRole("button", { name: "Place bid" }).isVisible());
  });

  t.test("an element of the page cannot be made by what people write", async (t) => {
    const item = `<img src=x onerror="document.title='hacked'">`;
    const id = await site.open({ item });
    t.equal(await site.bid(id, "<b>Eve</b>", 1000), 201);
    const page = await site.visit(t, `/auctions/${id}`);
    await says(page, "#item", item);
    await says(page, "#leader", "by <b>Eve</b>");
    t.equal(await page.locator("main img, main b").count(), 0);
    t.match(await page.title(), `1,000 · ${item}`);
  });
});
