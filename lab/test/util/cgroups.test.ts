/** Control groups: version 2 and mixed ones as Linux writes them, and the one that this test runs in. */
import { join } from "node:path";
import t, { type Test } from "tap";
import { Cgroups, processesOf, readCgroup, throttledSeconds } from "../../src/util/cgroups.ts";

/** A process file system and cgroup mounts in a directory; `{}` in the files stands for that directory. */
function machine(t: Test, files: Record<string, string>): { cgroups: Cgroups; root: string } {
  const tree: Record<string, unknown> = {};
  const root = join(t.testdirName);
  for (const [path, text] of Object.entries(files)) {
    const names = path.split("/");
    const last = names.pop() ?? "";
    let at = tree;
    for (const name of names) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[last] = text.replaceAll("{}", root);
  }
  t.testdir(tree as Parameters<Test["testdir"]>[0]);
  return { cgroups: new Cgroups(join(root, "proc")), root };
}

const unified = "30 23 0:26 / {}/fs rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const memory = { "memory.current": "104857600\n", "memory.stat": "anon 5\nfile 9\ninactive_file 4194304\n" };
const cpuStat = "usage_usec 2500000\nuser_usec 1\nsystem_usec 2\nnr_throttled 3\nthrottled_usec 1250000\n";

function group(path: string, files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${path}/${name}`, text]));
}

t.test("version 2: usage of a container with a quota", async (t) => {
  const path = "fs/system.slice/docker-abc.scope";
  const { cgroups, root } = machine(t, {
    "proc/self/mountinfo": `22 1 8:1 / / rw - ext4 /dev/sda1 rw\n${unified}`,
    "proc/7/cgroup": "0::/system.slice/docker-abc.scope\n",
    ...group(path, {
      ...memory,
      "cpu.stat": cpuStat,
      "cpu.max": "20000 100000\n",
      "cgroup.procs": "7\n12\n",
    }),
  });
  const found = cgroups.of(7);
  t.match(found, { version: 2, cpu: join(root, path), memory: join(root, path) });
  if (!found) return;
  t.same(readCgroup(found), { cpuSeconds: 2.5, memoryBytes: 100_663_296, throttledSeconds: 1.25 });
  t.same(processesOf(found), [7, 12]);
});

t.test("version 2: without a quota nothing is throttled, at the root there is nothing to read", async (t) => {
  const { cgroups } = machine(t, {
    "proc/self/mountinfo": unified,
    "proc/7/cgroup": "0::/user.slice\n",
    "proc/8/cgroup": "0::/\n",
    "fs/cpu.stat": cpuStat,
    ...group("fs/user.slice", { ...memory, "cpu.stat": cpuStat, "cpu.max": "max 100000\n" }),
  });
  const [user, machineWide] = [cgroups.of(7), cgroups.of(8)];
  t.ok(user && machineWide);
  if (!user || !machineWide) return;
  t.equal(throttledSeconds(user), null);
  t.equal(readCgroup(user)?.cpuSeconds, 2.5);
  t.equal(throttledSeconds(machineWide), null);
  t.equal(readCgroup(machineWide), undefined);
});

t.test("version 1 beside an empty version 2, mount points with blanks, controllers together", async (t) => {
  const { cgroups } = machine(t, {
    "proc/self/mountinfo": [
      "31 23 0:28 / {}/c\\040g/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
      "32 23 0:29 / {}/c\\040g/memory rw - cgroup cgroup rw,memory",
      "33 23 0:30 / {}/c\\040g/unified rw - cgroup2 cgroup2 rw\n",
    ].join("\n"),
    "proc/7/cgroup":
      "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/docker/abc\n",
    ...group("c g/cpu,cpuacct/docker/abc", {
      "cpuacct.usage": "3500000000\n",
      "cpu.cfs_quota_us": "10000\n",
      "cpu.stat": "nr_periods 9\nnr_throttled 3\nthrottled_time 750000000\n",
    }),
    ...group("c g/memory/docker/abc", {
      "memory.usage_in_bytes": "2097152\n",
      "memory.stat": "inactive_file 7\ntotal_inactive_file 1048576\n",
    }),
  });
  const found = cgroups.of(7);
  t.equal(found?.version, 1);
  t.same(found && readCgroup(found), { cpuSeconds: 3.5, memoryBytes: 1_048_576, throttledSeconds: 0.75 });
});

t.test("inside a container its own group is at the mount point, and others cannot be seen", async (t) => {
  const { cgroups, root } = machine(t, {
    "proc/self/mountinfo": "30 23 0:26 /docker/abc {}/fs ro - cgroup2 cgroup2 rw\n",
    "proc/7/cgroup": "0::/docker/abc\n",
    "proc/8/cgroup": "0::/docker/abcdef\n",
    "proc/9/cgroup": "0::/../def\n",
  });
  t.equal(cgroups.of(7)?.cpu, join(root, "fs"));
  t.equal(cgroups.of(8), undefined);
  t.equal(cgroups.of(9), undefined);
  t.equal(cgroups.of(10), undefined, "no such process");
});

t.test("without cgroups, as on other systems than Linux, nothing is found", async (t) => {
  t.equal(new Cgroups(join(t.testdir(), "none")).of(process.pid), undefined);
});

t.test("a group that has gone has no usage", async (t) => {
  const gone = join(t.testdir(), "gone");
  for (const version of [1, 2] as const) {
    const found = { version, cpu: gone, cpuacct: gone, memory: gone };
    t.equal(readCgroup(found), undefined);
    t.equal(throttledSeconds(found), null);
    t.same(processesOf(found), []);
  }
});

t.test(
  "this process is in the group that is found for it",
  { skip: process.platform !== "linux" },
  async (t) => {
    const found = new Cgroups().of(process.pid);
    t.ok(found && processesOf(found).includes(process.pid), `${found?.memory}`);
  },
);
