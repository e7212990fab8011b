/** What apt says when it fails, turned into why and what to do. */

export interface AptFailure {
  reason: string;
  remedy: string;
  /** Worth another try by itself within a short time. */
  passing: boolean;
}

const again = 'then "make engine" again.';

/** The first that matches counts: the causes before their consequences. */
const known: readonly { pattern: RegExp; reason: string; remedy: string; passing?: true }[] = [
  {
    pattern: /Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock directory/i,
    reason: "Another program is installing packages and holds apt's lock.",
    remedy: `Wait until it has ended (the lines below may name it), ${again}`,
    passing: true,
  },
  {
    pattern: /No space left on device|don't have enough free space/i,
    reason: "The disk is full.",
    remedy: `Free about 1 GB on the system's disk ("apt-get clean" frees apt's downloads), ${again}`,
  },
  {
    pattern: /dpkg was interrupted|dpkg --configure -a/i,
    reason: "An earlier installation was interrupted.",
    remedy: `Run "sudo dpkg --configure -a", ${again}`,
  },
  {
    pattern:
      /Temporary failure resolving|Could not resolve|Could not connect|Connection (timed out|refused|failed)|Network is unreachable|Unable to connect to/i,
    reason: "The package archive cannot be reached.",
    remedy: `Check the network, the proxy and apt's sources, ${again}`,
  },
  {
    pattern: /is not valid yet|Release file.*expired/i,
    reason: "The lists of packages do not fit this machine's clock.",
    remedy: `Set the clock right, ${again}`,
  },
  {
    pattern: /NO_PUBKEY|is not signed|signatures? (couldn't be verified|were invalid)/i,
    reason: "A source of packages has no valid signature here.",
    remedy: `Renew the keys (package debian-archive-keyring or ubuntu-keyring) or remove that source, ${again}`,
  },
  {
    pattern: /held broken packages|unmet dependencies|Depends: .* but/i,
    reason: "The packages do not go together with what is installed.",
    remedy: `Read the lines below; "sudo apt-get --fix-broken install" mends a half installation, ${again}`,
  },
  {
    pattern:
      /Unable to locate package|has no installation candidate|The value '.*' is invalid for APT::Default-Release/i,
    reason: "The package archive does not have these packages.",
    remedy: `Enable the archive's main component (on Ubuntu also universe) in /etc/apt, ${again}`,
  },
];

/** @param output of the failed command, and of the ones before it whose warnings may be the cause */
export function explainAptFailure(output: string): AptFailure {
  const refused = explainSudoRefusal(output);
  if (refused !== undefined) return { ...refused, passing: false };
  const found = known.find(({ pattern }) => pattern.test(output));
  if (found !== undefined)
    return { reason: found.reason, remedy: found.remedy, passing: found.passing ?? false };
  return {
    reason: "The package manager ended with an error.",
    remedy: `Read the lines below, mend it, ${again}`,
    passing: false,
  };
}

/** Undefined when it was not sudo that refused. */
export function explainSudoRefusal(output: string): Pick<AptFailure, "reason" | "remedy"> | undefined {
  if (!/a password is required|not in the sudoers file|is not allowed to (run|execute|set)/i.test(output)) {
    return undefined;
  }
  return {
    reason: "sudo does not let this user do this without a password, or at all.",
    remedy: 'Run "node lab engine" in a terminal, or as root.',
  };
}
