/**
 * Where an experiment can be run. An environment that cannot be used says so before anything is started.
 *
 * - **local**: this machine, on the runtime that is chosen; the runtime is named in every result.
 * - **aws**: what Terraform has deployed; its endpoints come from `terraform output`.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { LabError, messageOf } from "../cli/lab-error.ts";

export const environments = ["local", "aws"] as const;
export type EnvironmentName = (typeof environments)[number];

/** For the instance metadata service, which answers at once where there is one. */
const CREDENTIALS_MS = 1000;

/**
 * @param root the repository's root directory
 * @throws LabError PREREQUISITE_MISSING without credentials, NOT_RUNNING without a deployment
 */
export async function assertUsable(environment: EnvironmentName, root: string): Promise<void> {
  if (environment === "local") return;
  await assertCredentials();
  assertDeployed(root);
}

async function assertCredentials(): Promise<void> {
  // Loaded when it is needed: most commands never ask.
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  try {
    await defaultProvider({ timeout: CREDENTIALS_MS, maxRetries: 0 })();
  } catch (cause) {
    throw new LabError("PREREQUISITE_MISSING", "There are no credentials for AWS.", {
      reason: messageOf(cause),
      remedy:
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (learner accounts: AWS_SESSION_TOKEN too), or AWS_PROFILE; or take ENV=local.",
      cause,
    });
  }
}

function assertDeployed(root: string): void {
  const directory = join("terraform", "environments", "aws");
  const state = existsSync(join(root, directory, "terraform.tfstate"));
  throw new LabError("NOT_RUNNING", "Nothing is deployed to AWS that could be put under load.", {
    reason: state
      ? "This version of the lab cannot read the endpoints of a deployment yet."
      : `There is no ${directory} with a state: this version of the lab cannot deploy to AWS yet.`,
    remedy: "Take ENV=local.",
  });
}
