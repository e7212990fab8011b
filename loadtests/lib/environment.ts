/** What the lab tells a script, through k6's --env. */

export interface Environment {
  /** Origin of the service under load, such as http://127.0.0.1:8080. */
  readonly baseUrl: string;
  /** Begins every id that this run makes, so that runs never share one. */
  readonly runId: string;
}

export function environment(): Environment {
  return { baseUrl: required("BASE_URL").replace(/\/$/, ""), runId: required("RUN_ID") };
}

/** A positive number, or `otherwise` where the variable is not set. */
export function number(name: string, otherwise: number): number {
  const text = __ENV[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a positive number; it is ${JSON.stringify(text)}`);
  return value;
}

function required(name: string): string {
  const value = __ENV[name];
  if (!value) throw new Error(`${name} is not set; run this script by: make loadtest`);
  return value;
}
