/**
 * The door of the lab, for any Node from 18 on: `node lab <command>`. It installs the packages when they are missing or
 * out of date, finds a Node that runs TypeScript (26 or later), and hands everything over to src/main.ts on it. Plain old
 * JavaScript without dependencies, because it runs before there are any.
 */
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const modules = path.join(root, "node_modules");
const stamp = path.join(modules, ".parallax-lock");
const installLock = path.join(root, ".lab", "install.lock");
const wantedMajor = 26;
const prerequisiteMissing = 5;
const installTimeout = 15 * 60 * 1000;

main();

function main() {
  if (!isInstalled() && !canDoWithWhatIsThere()) withInstallLock(install);
  const node = findNode();
  if (node === undefined) {
    fail(
      `Node ${wantedMajor} or later is needed, and this is ${process.version}.`,
      `The package that brings Node ${wantedMajor} along is not there for ${process.platform} on ${process.arch}.`,
      `Install Node ${wantedMajor} (https://nodejs.org), then run the same command again.`,
    );
  }
  run(node);
}

/** Looking at a lab and stopping it must work whatever has become of the lockfile since it was started. */
function canDoWithWhatIsThere() {
  return (
    ["down", "status", "logs"].includes(process.argv[2]) && fs.existsSync(path.join(modules, "commander"))
  );
}

/** What the installation has to match: the lockfile and the settings that it is installed with. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const name of ["package-lock.json", ".npmrc"]) hash.update(fs.readFileSync(path.join(root, name)));
  return hash.digest("hex");
}

function isInstalled() {
  const wanted = fingerprint();
  if (readOrNothing(stamp) === wanted) return true;
  // Somebody ran npm by hand after the lockfile was last changed: that is as good.
  const byHand = modifiedAt(path.join(modules, ".package-lock.json"));
  const changed = Math.max(
    modifiedAt(path.join(root, "package-lock.json")),
    modifiedAt(path.join(root, ".npmrc")),
  );
  if (byHand === 0 || byHand < changed) return false;
  fs.writeFileSync(stamp, wanted);
  return true;
}

function install() {
  if (isInstalled()) return;
  const first = !fs.existsSync(modules);
  if (!first && fs.lstatSync(modules).isSymbolicLink()) {
    fail(
      "The packages are out of date, and node_modules is a link to another checkout's.",
      "To install here would remove the packages under the other one.",
      "Remove the link and run the same command again, or update the packages there.",
    );
  }
  say(`${first ? "Installing" : "Updating"} the packages with npm ci; this takes 10 s to 2 min, once.`);
  const windows = process.platform === "win32";
  const result = spawnSync(
    windows ? "npm.cmd" : "npm",
    ["ci", "--no-audit", "--no-fund", "--loglevel=warn"],
    {
      cwd: root,
      encoding: "utf8",
      shell: windows,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: installTimeout,
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (result.status === 0) {
    fs.writeFileSync(stamp, fingerprint());
    return;
  }
  if (result.signal === "SIGINT") process.exit(130);
  // The Node that runs npm may be older than the one the packages are for: that one comes with them.
  const lines = `${result.stderr || ""}`
    .split("\n")
    .map((line) => line.replace(/^npm error ?/, ""))
    .filter((line) => line !== "" && !/EBADENGINE|^npm warn|^[ }]/.test(line));
  const missing = result.error !== undefined && result.error.code === "ENOENT";
  fail(
    "The packages could not be installed.",
    missing
      ? "npm is not on PATH."
      : `npm ci ended with ${result.error ? result.error.message : `exit code ${result.status}`}.`,
    missing
      ? "Install npm (it comes with Node), then run the same command again."
      : 'Mend what its first lines name (often the connection to the npm registry: proxy, certificates); "npm ci" shows all of its output.',
    // npm says first what is wrong and then, at length, how it is used.
    lines.slice(0, 8),
  );
}

/** One installation at a time: a second command waits for the first one, and takes over when that one has died. */
function withInstallLock(work) {
  fs.mkdirSync(path.dirname(installLock), { recursive: true });
  const deadline = Date.now() + installTimeout;
  let told = false;
  for (;;) {
    try {
      fs.writeFileSync(installLock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") {
        fail(
          "The packages could not be installed.",
          error.message,
          `Make ${root} writable, or run "npm ci" there.`,
        );
      }
    }
    const holder = Number(readOrNothing(installLock));
    const age = Date.now() - modifiedAt(installLock);
    // An empty file is one that is just being written.
    if ((holder > 0 && !isAlive(holder)) || (!(holder > 0) && age > 5000)) {
      fs.rmSync(installLock, { force: true });
      continue;
    }
    if (Date.now() > deadline) {
      fail(
        "Another command has been installing the packages for too long.",
        `It is pid ${holder}.`,
        `End it, or remove ${installLock}.`,
      );
    }
    if (!told) say(`Waiting for pid ${holder}, which is installing the packages.`);
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  const release = () => fs.rmSync(installLock, { force: true });
  process.once("exit", release);
  work();
  process.off("exit", release);
  release();
}

/** A Node that runs TypeScript: this one, else the one among the packages. */
function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= wantedMajor) return process.execPath;
  const ending = process.platform === "win32" ? ".exe" : "";
  const platform = process.platform === "win32" ? "win" : process.platform;
  return [
    path.join(modules, `node-${platform}-${process.arch}`, "bin", `node${ending}`),
    path.join(modules, `node-bin-${platform}-${process.arch}`, "bin", `node${ending}`),
    path.join(modules, ".bin", `node${ending}`),
  ].find((candidate) => {
    const { status, stdout } = spawnSync(candidate, ["--version"], { encoding: "utf8" });
    return status === 0 && Number(/^v(\d+)/.exec(stdout)[1]) >= wantedMajor;
  });
}

/** Runs the lab and ends as it ends, signals included. */
function run(node) {
  const args = [path.join(__dirname, "src", "main.ts"), ...process.argv.slice(2)];
  const child = spawn(node, args, { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; this process only has to outlive the other one. What was sent to this process
  // alone is passed on, and a second signal in the same instant would end the command without its clean-up.
  process.on("SIGINT", () => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => fail("The lab could not be started.", error.message, `Check ${node}.`));
  child.once("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function readOrNothing(file) {
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

function modifiedAt(file) {
  try {
    return fs.statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function say(text) {
  process.stderr.write(`… ${text}\n`);
}

function fail(what, why, fix, detail = []) {
  const lines = [`Error: ${what}`, `  why: ${why}`, `  fix: ${fix}`, ...detail.map((line) => `  | ${line}`)];
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exit(prerequisiteMissing);
}
