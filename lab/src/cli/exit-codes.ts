/**
 * Exit codes of the lab, the whole list. Scripts and CI may rely on them; a number is never given a second meaning.
 */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** It was tried and failed. */
  failed: 1,
  /** The command line or the settings make no sense; nothing was tried. */
  usage: 2,
  /** The command needs a running lab and there is none, or it is not healthy. */
  notRunning: 3,
  /** A run ended and its verdict is broken or undecided. */
  verdict: 4,
  /** Something the lab stands on is missing or taken: a program, a port, disk. */
  prerequisite: 5,
  /** Another command is at work on the same lab, or another lab is in its place. */
  busy: 6,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
  /** SIGTERM (128 + SIGTERM). */
  terminated: 143,
} as const;

/** One of the numbers above. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
