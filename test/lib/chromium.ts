/** A real Chromium for tests of pages: the one that CHROMIUM names, or one from PATH. */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Request,
} from "playwright-core";
import type { Test } from "tap";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const HOW =
  "Install Chromium (apt-get install chromium, brew install --cask chromium), or set CHROMIUM to the path of one.";

/**
 * For a test's `skip`: false when there is a Chromium, else why it is skipped.
 * @throws Error when there is none and CI=true: there, nothing is skipped
 */
export function withoutChromium(env: NodeJS.ProcessEnv = process.env): string | false {
  if (findChromium(env) !== undefined) return false;
  const why = env.CHROMIUM
    ? `CHROMIUM is ${env.CHROMIUM}, which cannot be run. ${HOW}`
    : `There is no Chromium on PATH. ${HOW}`;
  if (env.CI === "true") throw new Error(why);
  return why;
}

export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.CHROMIUM) return isProgram(env.CHROMIUM) ? env.CHROMIUM : undefined;
  const directories = (env.PATH ?? "").split(delimiter).filter((each) => each !== "");
  return directories.flatMap((directory) => NAMES.map((name) => join(directory, name))).find(isProgram);
}

export async function startChromium(t: Test): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(HOW);
  const browser = await chromium.launch({
    executablePath,
    // As root, Chromium has no sandbox; what it opens here is this checkout's own.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  t.teardown(() => browser.close());
  return browser;
}

export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What scripts threw, and what the browser complained of: nothing, on a page that is right. */
  readonly complaints: readonly string[];
}

/** A page with storage of its own. */
export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  page.on("console", (message) => {
    // An answer that is no success, and a server that is away, are what some tests are about.
    const isAboutAnswer = /^(Failed to load resource|WebSocket connection to)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isAboutAnswer) complaints.push(message.text());
  });
  return { page, context, complaints };
}

const NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED";
const MOST_LOADS = 5;

/**
 * Loads a page, by `goto` or `reload`; again, when Chromium gave up a part of it because the machine's network changed, as it does whenever a
 * container comes or goes.
 */
export async function load(page: Page, go: () => Promise<unknown>): Promise<void> {
  let changed = true;
  const note = (request: Request) => {
    changed ||= request.failure()?.errorText === NETWORK_CHANGED;
  };
  page.on("requestfailed", note);
  try {
    for (let loads = 0; changed && loads < MOST_LOADS; loads += 1) {
      changed = false;
      await go().catch((error: unknown) => {
        if (!String(error).includes(NETWORK_CHANGED)) throw error;
        changed = true;
      });
    }
  } finally {
    page.off("requestfailed", note);
  }
  if (changed) throw new Error(`The machine's network changed during each of ${MOST_LOADS} loads.`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
