import t from "tap";
import { CpuMeter, UsageMeter } from "../../src/experiments/usage-meter.ts";
import type { PartUsage } from "../../src/runtimes/runtime.ts";

const usage = (changes: Partial<PartUsage>): PartUsage => ({
  name: "api",
  cpu_seconds: null,
  memory_mb: null,
  network_rx_bytes: null,
  network_tx_bytes: null,
  throttled_seconds: null,
  ...changes,
});

t.test("the mean is a share of all processors, over the whole time", async (t) => {
  const meter = new CpuMeter(4);
  t.equal(meter.mean(), undefined);
  meter.add(0.4, 1);
  t.equal(meter.mean(), undefined, "less than half a second says nothing");
  meter.add(0.6, 1);
  t.equal(meter.mean(), 0.5, "2 s of 4 processors' 4 s");
  meter.add(3, 0);
  t.equal(meter.mean(), 0.125);
});

t.test("the peak is the highest share over five seconds, and shorter ones are noise", async (t) => {
  const meter = new CpuMeter(1);
  const shares = [1, 1, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0];
  for (const [second, share] of shares.entries()) {
    meter.add(1, share);
    if (second < 4) t.equal(meter.peak(), undefined, `after ${second + 1} s`);
  }
  t.equal(meter.peak(), 0.5, "seconds 0 to 5, and again 4 to 9");
  t.ok((meter.mean() ?? 0) < 0.5);
});

t.test("readings that come late do not raise the peak", async (t) => {
  const meter = new CpuMeter(1);
  meter.add(4, 2);
  meter.add(4.5, 2);
  t.equal(meter.peak(), 4 / 8.5, "over eight seconds and a half: no window of five was seen");
});

t.test("a part's counters add up over measured time alone", async (t) => {
  const meter = new UsageMeter();
  meter.add([usage({ cpu_seconds: 10, memory_mb: 900, network_rx_bytes: 0 })], false);
  meter.add([usage({ cpu_seconds: 20, memory_mb: 100, network_rx_bytes: 2 ** 20 })], true);
  meter.add([usage({ cpu_seconds: 90, memory_mb: 900, network_rx_bytes: 9 * 2 ** 20 })], false);
  meter.add([usage({ cpu_seconds: 95, memory_mb: 120, network_rx_bytes: 10 * 2 ** 20 })], true);
  t.same(meter.figures(), {
    api: {
      cpu_s: 15,
      memory_mb_max: 120,
      network_rx_mb: 2,
      network_tx_mb: null,
      throttled_s: null,
    },
  });
});

t.test("a part that was started anew, or was away, is counted on", async (t) => {
  const meter = new UsageMeter();
  meter.add([usage({ cpu_seconds: 50 })], true);
  meter.add([usage({ cpu_seconds: null })], true);
  meter.add([usage({ cpu_seconds: 3 })], true);
  meter.add([usage({ cpu_seconds: 4 }), usage({ name: "late", cpu_seconds: 7 })], true);
  t.match(meter.figures(), { api: { cpu_s: 4 }, late: { cpu_s: null } });
});
