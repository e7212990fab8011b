/** LocalStack's account token: without one, 4.14.0 is the last version that starts. */
import { backingImages } from "../images/catalogue.ts";
import { compareVersions } from "../util/versions.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

const check = "localstack";
const needed_by = "compose" as const;

/** Says whether there is a token, never which. */
export function checkLocalStack({ settings }: Pick<Examination, "settings">): Finding[] {
  if (settings.emulator !== "localstack") {
    return [{ check, state: "ok", found: `not used (EMULATOR=${settings.emulator})`, needed_by }];
  }
  if (!settings.profiles.includes("orders")) {
    return [{ check, state: "ok", found: `not used (PROFILE=${settings.profiles.join(",")})`, needed_by }];
  }
  if (settings.broker !== "sns-sqs") {
    return [{ check, state: "ok", found: `not used (BROKER=${settings.broker})`, needed_by }];
  }
  const { variable, official } = backingImages.localstack;
  const image = settings.images.backing[variable] ?? official;
  if (settings.localstackToken !== undefined) {
    return [{ check, state: "ok", found: `${image}, with an account token`, needed_by }];
  }
  const last = tagOf(official);
  const tag = tagOf(image);
  if (asksForToken(image, tag, last)) {
    return [
      {
        check,
        state: "fail",
        found: `${image} asks for an account token, and LOCALSTACK_AUTH_TOKEN is not set`,
        fix: `Set LOCALSTACK_AUTH_TOKEN, or unset ${variable} (${last} is the last version without), or set EMULATOR=ministack.`,
        needed_by,
      },
    ];
  }
  if (!isFullVersion(tag)) {
    const found = `${image}: its tag does not tell whether it asks for an account token, and there is none`;
    const fix = `Set LOCALSTACK_AUTH_TOKEN, or name a version up to ${last} in ${variable}.`;
    return [{ check, state: "warn", found, fix, needed_by }];
  }
  const found = `${tag}, without an account token (${last} is the last version that starts so; no ECS, ELB, ECR)`;
  return [{ check, state: "ok", found, needed_by }];
}

function asksForToken(image: string, tag: string, last: string): boolean {
  if (/\blocalstack-pro\b/.test(image)) return true;
  if (/^(latest|stable)$/.test(tag)) return true;
  return isFullVersion(tag) ? compareVersions(tag, last) > 0 : Number(tag) > Number.parseInt(last, 10);
}

/** A tag such as 4 moves on with every release. */
function isFullVersion(tag: string): boolean {
  return /^v?\d+\.\d+/.test(tag);
}

function tagOf(image: string): string {
  const name = image.split("@")[0] ?? "";
  return /:([^/:]+)$/.exec(name)?.[1] ?? "latest";
}
