/**
 * Loaded into a service before it starts (NODE_OPTIONS=--import): its clock on the wall is SKEW_MS ahead of the machine's, or behind
 * where that is negative. Clocks that only measure are left alone, as they are where a machine's clock is wrong.
 */

const skew = Number(process.env.SKEW_MS);
if (!Number.isFinite(skew)) throw new Error(`SKEW_MS is ${process.env.SKEW_MS}`);

const trueNow = Date.now.bind(Date);
const now = () => trueNow() + skew;

globalThis.Date = new Proxy(Date, {
  apply: () => new Date(now()).toString(),
  construct: (target, values, self) => Reflect.construct(target, values.length > 0 ? values : [now()], self),
  get: (target, name, self) => (name === "now" ? now : Reflect.get(target, name, self)),
});

const timeOrigin = performance.timeOrigin + skew;
Object.defineProperty(performance, "timeOrigin", { value: timeOrigin });
