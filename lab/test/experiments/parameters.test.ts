import t from "tap";
import type { Experiment } from "../../src/experiments/experiment.ts";
import { smoke } from "../../src/experiments/orders/smoke.ts";
import {
  asItIs,
  describeVariant,
  mergeVariants,
  parseVariant,
  resolveParameters,
  resolveServices,
} from "../../src/experiments/parameters.ts";

const experiment: Experiment = {
  ...smoke,
  parameters: {
    rate: { value: 20, meaning: "orders a second", least: 1, most: 2000, whole: true },
    seconds: { value: 10, meaning: "seconds of load", least: 0.5, most: 60 },
  },
  services: ({ rate }) => ({ "orders-processor": { NUM_WORKERS: String(rate), LOG_LEVEL: "info" } }),
};

t.test("changes are read as they are written", async (t) => {
  t.same(parseVariant(""), asItIs);
  t.same(parseVariant(" , \n"), asItIs);
  t.same(parseVariant("rate=50, seconds=2.5 orders-processor.NUM_WORKERS=5\torders-processor.LOG_LEVEL="), {
    parameters: { rate: 50, seconds: 2.5 },
    services: { "orders-processor": { NUM_WORKERS: "5", LOG_LEVEL: "" } },
  });
  t.same(parseVariant("rate=50 rate=60").parameters, { rate: 60 }, "the last one is meant");
  t.same(parseVariant("orders-payments.URL=http://127.0.0.1:1/?a=b").services, {
    "orders-payments": { URL: "http://127.0.0.1:1/?a=b" },
  });
});

for (const word of [
  "rate",
  "rate=",
  "=50",
  "Rate=50",
  "rate:50",
  "NUM_WORKERS=5",
  "orders-processor.num_workers=5",
  "orders-processor.NUM_WORKERS",
  ".NUM_WORKERS=5",
  "__proto__=1",
  "orders-processor.NUM_WORKERS;=5",
]) {
  t.test(`${JSON.stringify(word)} among good words is told with what could be written`, async (t) => {
    t.throws(() => parseVariant(`seconds=1 ${word}`), {
      code: "USAGE",
      message: `"${word}" changes nothing that is known.`,
      remedy: /rate=50.*orders-processor\.NUM_WORKERS=5/,
    });
  });
}

for (const value of ["fast", "NaN", "Infinity", "5s"]) {
  t.test(`rate=${value} is told to be no number`, async (t) => {
    t.throws(() => parseVariant(`seconds=1 rate=${value}`), {
      code: "USAGE",
      message: `rate must be a number, not "${value}".`,
      remedy: /rate=50/,
    });
  });
}

t.test("names that every object has are no parameters", async (t) => {
  const { parameters } = parseVariant("constructor=1");
  t.throws(() => resolveParameters(experiment, parameters), { code: "USAGE", message: /"constructor"/ });
});

t.test("what is not given keeps its value", async (t) => {
  t.same(resolveParameters(experiment, {}), { rate: 20, seconds: 10 });
  t.same(resolveParameters(experiment, { seconds: 0.5 }), { rate: 20, seconds: 0.5 });
  t.same(resolveParameters(experiment, { rate: 2000 }), { rate: 2000, seconds: 10 });
});

for (const [name, value, reason] of [
  ["rate", 0, /from 1 to 2000/],
  ["rate", 2001, /from 1 to 2000/],
  ["rate", 2.5, /whole number/],
  ["rate", Number.NaN, /from 1 to 2000/],
  ["seconds", 0.4, /from 0\.5 to 60/],
] as const) {
  t.test(`${name}=${value} is told with its limits`, async (t) => {
    t.throws(() => resolveParameters(experiment, { [name]: value }), {
      code: "USAGE",
      message: `The parameter ${name} (${experiment.parameters[name]?.meaning}) cannot be ${value}.`,
      reason,
    });
  });
}

t.test("an unknown parameter is told with those that exist", async (t) => {
  t.throws(() => resolveParameters(experiment, { raet: 5 }), {
    code: "USAGE",
    message: /orders\/smoke has no parameter "raet"/,
    remedy: /rate \(20 orders a second\), seconds \(10 seconds of load\)/,
  });
  t.throws(() => resolveParameters({ ...experiment, parameters: {} }, { rate: 5 }), {
    code: "USAGE",
    remedy: "It has none at all.",
  });
});

t.test("what a person changes goes over what the experiment gives", async (t) => {
  const variant = parseVariant("orders-processor.NUM_WORKERS=5 orders-payments.PAYMENT_SECONDS=1");
  t.same(resolveServices(experiment, variant, { rate: 7 }), {
    "orders-processor": { NUM_WORKERS: "5", LOG_LEVEL: "info" },
    "orders-payments": { PAYMENT_SECONDS: "1" },
  });
  t.same(resolveServices(experiment, asItIs, { rate: 7 }), experiment.services({ rate: 7 }));
});

t.test("what a lab lacks gets nothing from the experiment; what a person gives it stays", async (t) => {
  const lacking = ["orders-processor"];
  t.same(resolveServices(experiment, asItIs, { rate: 7 }, lacking), {});
  const variant = parseVariant("orders-processor.NUM_WORKERS=5");
  t.same(resolveServices(experiment, variant, { rate: 7 }, lacking), variant.services);
});

t.test("of two variants the later one wins where both change the same", async (t) => {
  const earlier = parseVariant("rate=1 seconds=1 a.X=1 a.Y=1");
  const later = parseVariant("rate=2 a.Y=2 b.Z=2");
  const merged = mergeVariants(earlier, later);
  t.same(merged, parseVariant("rate=2 seconds=1 a.X=1 a.Y=2 b.Z=2"));
  t.same(earlier, parseVariant("rate=1 seconds=1 a.X=1 a.Y=1"), "neither is changed");
  t.equal(describeVariant(merged), "rate=2 seconds=1 a.X=1 a.Y=2 b.Z=2");
  t.equal(describeVariant(asItIs), "as it is");
});
