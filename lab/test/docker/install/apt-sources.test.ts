import t from "tap";
import {
  parseDeb822,
  parseOneLine,
  pinFile,
  sourceFile,
  sourceOf,
} from "../../../src/docker/install/apt-sources.ts";

t.test("deb822: stanzas, comments, continuation lines, what is switched off", async (t) => {
  const text = `# Debian's own
Types: deb deb-src
# a note in between
URIs: http://mirror.example/debian
Suites: bookworm
  bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main

Types: deb-src
URIs: http://mirror.example/debian
Suites: trixie
Components: main
`;
  t.same(parseDeb822(text), [
    {
      uris: ["http://mirror.example/debian"],
      suites: ["bookworm", "bookworm-updates"],
      components: ["main", "contrib"],
      signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
    },
  ]);
});

t.test("one line a source: options, comments, sources of other kinds", async (t) => {
  const text = `# deb http://mirror.example/debian trixie main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/keys.gpg] http://mirror.example/debian bookworm main contrib # ours
deb http://security.example bookworm-security main
`;
  t.same(parseOneLine(text), [
    {
      uris: ["http://mirror.example/debian"],
      suites: ["bookworm"],
      components: ["main", "contrib"],
      signedBy: "/keys.gpg",
    },
    {
      uris: ["http://security.example"],
      suites: ["bookworm-security"],
      components: ["main"],
      signedBy: undefined,
    },
  ]);
});

t.test("a source that is written is read again as it was meant, keys in the file included", async (t) => {
  const keys = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----";
  for (const signedBy of [undefined, "/keys.gpg", keys]) {
    const like = {
      uris: ["http://a.example", "http://b.example"],
      suites: ["bookworm"],
      components: ["main"],
    };
    const text = sourceFile({ ...like, signedBy }, "trixie", ["a comment"]);
    t.match(text, /^# a comment\nTypes: deb\n/);
    t.same(parseDeb822(text), [{ ...like, suites: ["trixie"], signedBy }]);
  }
  t.equal(pinFile("trixie", []), "Package: *\nPin: release n=trixie\nPin-Priority: 100\n");
});

t.test("the source of a suite has its main component", async (t) => {
  const other = {
    uris: ["http://x.example"],
    suites: ["bookworm"],
    components: ["contrib"],
    signedBy: undefined,
  };
  const main = { ...other, components: ["main"] };
  t.equal(sourceOf([other, main], "bookworm"), main);
  t.equal(sourceOf([other, main], "trixie"), undefined);
});
