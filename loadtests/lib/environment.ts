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

/** @throws Error for a script that was started without it */
export function required(name: string): string {
  const value = __ENV[name];
  if (!value) throw new Error(`${name} is not set; run this script by: make loadtest`);
  return value;
}
