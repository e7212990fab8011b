/** `lab images`, `lab images-save`, `lab images-load`: the lab's images without an image registry. */
import type { Command } from "commander";
import { canAsk } from "../cli/confirm.ts";
import { type CliContext, loadSettings } from "../cli/context.ts";
import { Progress } from "../cli/progress.ts";
import { requireEngine } from "../docker/engine.ts";
import { defaultArchive, loadImages, saveImages } from "../images/archive.ts";
import { buildPackagedImages, megabytes } from "../images/packaged-images.ts";
import { ensureServiceImage } from "../images/service-image.ts";
import { profiles } from "../settings.ts";
import { showEvent } from "./up.ts";

interface ImagesFlags {
  force?: boolean;
  yes?: boolean;
}

export function registerImagesCommands(program: Command, context: CliContext): void {
  program
    .command("images")
    .description(
      "build the lab's images from packages (Debian, npm, PyPI), for machines that reach no image registry; " +
        "where one can be reached, `up` pulls the official images by itself",
    )
    .option("--force", "build anew what is there already")
    .option("--yes", "install debootstrap without asking, where it is missing")
    .action((options: ImagesFlags) => buildImages(options, context));

  program
    .command("images-save")
    .description("write every image that the lab uses into a file, for machines without a network")
    .option("--file <path>", "where to (LAB_DIR/images/parallax-images.tar.zst)")
    .action(async (options: { file?: string }) => {
      const settings = loadSettings(context);
      const engine = await requireEngine(context.environment);
      const file = options.file ?? defaultArchive(settings.labDir);
      const progress = new Progress(process.stderr);
      const { output, signal, root } = context;
      const saved = await saveImages({
        engine,
        settings,
        root,
        file,
        signal,
        onEvent: (event) => showEvent(output, event),
        onBytes: (bytes) => showBytes(progress, bytes),
      }).finally(() => progress.clear());
      output.done(`${saved.references.length} images are in ${file} (${megabytes(saved.bytes)})`);
      output.line("On the other machine: make images-load FILE=<that file>");
    });

  program
    .command("images-load")
    .description("load the images that images-save has written")
    .option("--file <path>", "where from (LAB_DIR/images/parallax-images.tar.zst)")
    .action(async (options: { file?: string }) => {
      const settings = loadSettings(context);
      const engine = await requireEngine(context.environment);
      const { output, signal } = context;
      const file = options.file ?? defaultArchive(settings.labDir);
      const progress = new Progress(process.stderr);
      const loaded = await loadImages({
        engine,
        file,
        signal,
        onBytes: (bytes) => showBytes(progress, bytes),
      }).finally(() => progress.clear());
      output.done(`${loaded.length} images are loaded`);
      output.table([["IMAGE", "SIZE"], ...loaded.map((image) => [image.reference, megabytes(image.size)])]);
    });
}

function showBytes(progress: Progress, bytes: number): void {
  if (bytes >= 1e6) progress.show(`  ${megabytes(bytes)}`);
}

async function buildImages(options: ImagesFlags, context: CliContext): Promise<void> {
  const { output, environment, signal, root } = context;
  const settings = loadSettings(context);
  const engine = await requireEngine(environment);
  const began = performance.now();
  const force = options.force === true;
  const common = { engine, root, signal, onEvent: showEvent.bind(undefined, output) };
  const packaged = await buildPackagedImages({
    ...common,
    labDir: settings.labDir,
    force,
    mayInstall: options.yes === true || environment.YES === "1" || environment.CI === "true",
    interactive: canAsk(context),
  });
  const services = [];
  for (const system of profiles) {
    services.push(await ensureServiceImage({ ...common, settings, system, fresh: force }));
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  output.done(`Every image is there (${seconds} s)`);
  output.table([
    ["IMAGE", "SIZE", "BUILT IN"],
    ...packaged.map(({ image, seconds: took }) => [
      image.reference,
      megabytes(image.size),
      took === undefined ? "was there" : `${took.toFixed(1)} s`,
    ]),
    ...services.map(({ reference, size }) => [reference, megabytes(size), ""]),
  ]);
}
