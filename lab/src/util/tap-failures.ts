/** What failed, of tap's raw output. */

export interface Failure {
  /** From the outermost, a file, to what failed in it: an assertion, or a test or file that failed by itself. */
  path: string[];
  /** tap's diagnostics (the difference, the place), then what the tests around it said, such as their services' logs. */
  detail: string[];
}

interface Point {
  indent: number;
  name: string;
  failed: boolean;
  diagnostics: string[];
  /** Said before it, and after the point before it. */
  comments: string[];
}

/** Lines of what a test has said: the last of them. */
const MOST_COMMENTS = 30;

/**
 * A test that failed because something inside it did is no failure of its own: it is a part of the path.
 * @param tap indented by four spaces for each test around, which comes after what is inside; diagnostics are YAML between
 * `---` and `...`
 */
export function readFailures(tap: string): Failure[] {
  const failures: Failure[] = [];
  /** Those whose tests around are still to come, with the indentation of the outermost that is known. */
  let open: { failure: Failure; indent: number }[] = [];
  for (const { indent, name, failed, diagnostics, comments } of points(tap)) {
    const inside = open.filter((one) => one.indent > indent);
    open = open.filter((one) => one.indent <= indent);
    if (!failed) continue;
    if (inside.length === 0) {
      const failure = { path: [name], detail: [...diagnostics, ...comments] };
      failures.push(failure);
      open.push({ failure, indent });
    }
    for (const { failure } of inside) {
      failure.path.unshift(name);
      failure.detail.push(...comments);
      open.push({ failure, indent });
    }
  }
  return failures;
}

function* points(tap: string): Generator<Point> {
  const lines = tap.split("\n");
  let comments: string[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const comment = /^ +# (?!Subtest:|time=)(.*)$/.exec(line)?.[1];
    if (comment !== undefined) comments = [...comments, comment].slice(-MOST_COMMENTS);
    const [, spaces, not, name, directive] =
      /^( *)(not )?ok \d+(?: - (.*?))??(?: # ((?:time=|TODO|SKIP).*))?$/i.exec(line) ?? [];
    if (spaces === undefined) continue;
    const diagnostics = diagnosticsAt(lines, at + 1, `${spaces}  `);
    // They may quote anything, also lines that look like points.
    at += diagnostics.length;
    const failed = not !== undefined && !/^(TODO|SKIP)/i.test(directive ?? "");
    const said = diagnostics.slice(1, -1).map((each) => each.slice(spaces.length + 2));
    const told = said.filter((each) => each.trim() !== "");
    yield { indent: spaces.length, name: name ?? "", failed, diagnostics: told, comments };
    comments = [];
  }
}

/** With their first line and their last; none when they do not begin there. */
function diagnosticsAt(lines: readonly string[], first: number, margin: string): string[] {
  if (lines[first] !== `${margin}---`) return [];
  const end = lines.indexOf(`${margin}...`, first);
  return lines.slice(first, end < 0 ? lines.length : end + 1);
}
