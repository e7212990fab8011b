/** apt's package sources: reading both of their formats, and writing one more beside those that are there. */

export interface AptSource {
  uris: readonly string[];
  suites: readonly string[];
  components: readonly string[];
  /** Path of a keyring, or the keys themselves over several lines; as written there. */
  signedBy: string | undefined;
}

/** The format of *.sources (deb822): stanzas of fields, a line that begins with a space continues the field. */
export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = fieldsOf(stanza);
    const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "");
    const enabled = (fields.get("enabled") ?? "yes").toLowerCase() !== "no";
    if (!enabled || !words("types").includes("deb")) return [];
    return [
      {
        uris: words("uris"),
        suites: words("suites"),
        components: words("components"),
        signedBy: fields.get("signed-by"),
      },
    ];
  });
}

/** The format of *.list: `deb [options] uri suite component...`, one source a line. */
export function parseOneLine(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const parts = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line.trim());
    if (parts === null) return [];
    const [, options = "", uri = "", suite = "", components = ""] = parts;
    return [
      {
        uris: [uri],
        suites: [suite],
        components: components.split(/\s+/).filter((word) => word !== ""),
        signedBy: /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1],
      },
    ];
  });
}

/** The source that gives a suite's main component, such as `trixie`. */
export function sourceOf(sources: readonly AptSource[], suite: string): AptSource | undefined {
  return sources.find(({ suites, components }) => suites.includes(suite) && components.includes("main"));
}

/** A *.sources file for another suite of the same archive: same mirror, same keys. */
export function sourceFile(like: AptSource, suite: string, comment: readonly string[]): string {
  return [
    ...comment.map((line) => `# ${line}`),
    "Types: deb",
    `URIs: ${like.uris.join(" ")}`,
    `Suites: ${suite}`,
    "Components: main",
    ...(like.signedBy === undefined ? [] : [`Signed-By:${spaced(like.signedBy)}`]),
    "",
  ].join("\n");
}

/** A preferences file that lets nothing come from a suite unless it is asked for by name. */
export function pinFile(suite: string, comment: readonly string[]): string {
  return [
    ...comment.map((line) => `# ${line}`),
    "Package: *",
    `Pin: release n=${suite}`,
    "Pin-Priority: 100",
    "",
  ].join("\n");
}

function fieldsOf(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of stanza.split("\n").filter((text) => !text.startsWith("#"))) {
    const field = /^([A-Za-z][A-Za-z-]*):[ \t]*(.*)$/.exec(line);
    if (field?.[1] !== undefined) {
      current = field[1].toLowerCase();
      fields.set(current, (field[2] ?? "").trim());
    } else if (current !== undefined && /^[ \t]/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line}`);
    }
  }
  return fields;
}

/** Keys written into the file begin on a line of their own. */
function spaced(value: string): string {
  return value.startsWith("\n") ? value : ` ${value}`;
}
