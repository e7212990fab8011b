/** What the OpenAPI documents say of the part that serves them. */

import type { About } from "@parallax/service";
import manifest from "../../package.json" with { type: "json" };

export function aboutPart(part: string, description: string): About {
  return { title: `${manifest.name} ${part}`, version: manifest.version, description };
}
