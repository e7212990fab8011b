/** k6's own summary, written where the lab asks for it. Re-export `handleSummary` from every script. */

export function handleSummary(data: object): Record<string, string> {
  const file = __ENV.SUMMARY_FILE;
  return file ? { [file]: JSON.stringify(data, null, 2) } : {};
}
