/** Building, saving and loading images on a real engine: interrupted, damaged, and as it should be. */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@parallax/testkit";
import t from "tap";
import { requireEngine } from "../../lab/src/docker/engine.ts";
import { loadImages, saveImages } from "../../lab/src/images/archive.ts";
import { buildImage } from "../../lab/src/images/build-image.ts";
import { backingImageVariables } from "../../lab/src/images/catalogue.ts";
import { findLocal } from "../../lab/src/images/choose-images.ts";
import { engineImages } from "../../lab/src/images/local-images.ts";
import { backingWish } from "../../lab/src/images/resolve-images.ts";
import { rootDir } from "../../lab/src/paths.ts";
import { settingsFromEnv } from "../../lab/src/settings.ts";

t.setTimeout(240_000);

const engine = await requireEngine();
const signal = new AbortController().signal;
const silent = () => {};
/** A small one to work with. */
const wish = backingWish("nats", settingsFromEnv(process.env, rootDir));
const here = await findLocal(wish, engineImages(engine));
const small = here?.reference ?? wish.official;
// CI has all images: there, nothing is skipped.
const skip = here === undefined && process.env.CI !== "true" && `${small} is not here`;

t.test("a build that is interrupted ends at once", { skip }, async (t) => {
  const marker = `3${Math.floor(Math.random() * 1e6)}`;
  const context = t.testdir({
    Dockerfile: `FROM ${small}\nUSER root\nRUN --network=none sleep ${marker}\n`,
    lab: {},
  });
  const isRunning = () =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .some((pid) => readCommand(pid) === `sleep\0${marker}\0`);
  const controller = new AbortController();
  t.teardown(() => controller.abort());
  const building = buildImage({
    name: "interrupted",
    reference: `parallax-test/interrupted:${randomUUID()}`,
    dockerfile: join(context, "Dockerfile"),
    context,
    labDir: join(context, "lab"),
    signal: controller.signal,
  });
  const rejected = t.rejects(building, { message: "interrupted" });
  // Where the engine is another machine, its processes cannot be seen from here.
  const visible = existsSync("/proc") && engine.host.startsWith("unix:");
  if (visible) await waitFor("the step", isRunning, 60_000);
  controller.abort(new Error("interrupted"));
  await rejected;
  if (visible) await waitFor("the step to end", () => !isRunning(), 60_000);
});

t.test(
  "images are saved and loaded; a damaged file is refused and nothing half written is left",
  { skip },
  async (t) => {
    const base = engine.client.getImage(small);
    const [repo, tag] = ["parallax-test/copy", randomUUID()];
    const copy = `${repo}:${tag}`;
    const untag = () => engine.client.getImage(copy).remove();
    await base.tag({ repo, tag });
    t.teardown(() => untag().catch(silent));
    const named = Object.fromEntries(
      [...backingImageVariables, "NODE_IMAGE"].map((variable) => [variable, copy]),
    );
    const directory = t.testdir();
    const file = join(directory, "images", "saved.tar.zst");
    const warnings: string[] = [];
    const options = { engine, file, signal, onBytes: silent };
    const saved = await saveImages({
      ...options,
      root: rootDir,
      settings: settingsFromEnv(named, rootDir),
      onEvent: ({ kind, text }) => kind === "warn" && warnings.push(text),
    });
    t.same(saved.references, [copy]);
    t.match(warnings, [/orders/], "its image on another base does not exist");
    t.equal(statSync(file).size, saved.bytes);

    await untag();
    t.match(await loadImages(options), [{ reference: copy, id: (await base.inspect()).Id }]);

    truncateSync(file, Math.floor(saved.bytes / 2));
    await t.rejects(loadImages(options), {
      code: "COMMAND_FAILED",
      reason: /damaged/,
      remedy: /images-save/,
    });
    await t.rejects(loadImages({ ...options, file: join(directory, "nowhere") }), { code: "USAGE" });

    const stopped = new AbortController();
    const saving = saveImages({
      ...options,
      root: rootDir,
      settings: settingsFromEnv(named, rootDir),
      signal: stopped.signal,
      onBytes: () => stopped.abort(new Error("interrupted")),
      onEvent: silent,
    });
    await t.rejects(saving, { message: "interrupted" });
    t.same(readdirSync(join(directory, "images")), ["saved.tar.zst"]);
  },
);

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
