/**
 * Deploying a function through the Lambda API: made where it is missing, changed where it differs, left alone where it is as it
 * should be, with its warm environments. What fails in it twice more goes to the dead-letter queue; the topic may invoke it.
 */

import { isDeepStrictEqual } from "node:util";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { LabError, messageOf } from "../cli/lab-error.ts";
import { type BundledFunction, FUNCTION_HANDLER, FUNCTION_RUNTIME } from "./bundle.ts";

export interface FunctionSpec {
  readonly name: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What it runs as; emulators take any. */
  readonly role: string;
}

export interface Deployed {
  readonly arn: string;
  /** Lambda's own hash of the code. */
  readonly sha256: string;
  /** `kept` when nothing had to be changed. */
  readonly change: "created" | "updated" | "kept";
}

/** Lambda's own tries after the first one, before an event goes to the dead-letter queue. */
export const ASYNC_RETRIES = 2;

const WAIT_SECONDS = 60;

/**
 * Resolves when the function is active with this code and these settings. Rejects with the SDK's own errors, as do the others
 * here: see `deploymentFailed`.
 */
export async function deployFunction(
  client: LambdaClient,
  spec: FunctionSpec,
  code: Pick<BundledFunction, "zip" | "sha256">,
  signal: AbortSignal,
): Promise<Deployed> {
  const before = await configurationOf(client, spec.name, signal);
  const change = before === undefined ? "created" : await updated(client, spec, code, before, signal);
  if (before === undefined) await create(client, spec, code, signal);
  const now = await configurationOf(client, spec.name, signal);
  return { arn: present(now?.FunctionArn), sha256: present(now?.CodeSha256), change };
}

/** Where an event goes that has failed for good, and who may invoke the function. Safe to repeat. */
export async function connectFunction(
  client: LambdaClient,
  name: string,
  { deadLetterQueueArn, topicArn }: { deadLetterQueueArn: string; topicArn: string },
  abortSignal: AbortSignal,
): Promise<void> {
  await client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: name,
      MaximumRetryAttempts: ASYNC_RETRIES,
      DestinationConfig: { OnFailure: { Destination: deadLetterQueueArn } },
    }),
    { abortSignal },
  );
  await client
    .send(
      new AddPermissionCommand({
        FunctionName: name,
        StatementId: "orders-topic",
        Action: "lambda:InvokeFunction",
        Principal: "sns.amazonaws.com",
        SourceArn: topicArn,
      }),
      { abortSignal },
    )
    .catch(unlessNamed("ResourceConflictException"));
}

/**
 * Invokes the function with an event of its own and waits for the end.
 * @throws LabError COMMAND_FAILED with what the function, or who should have run it, says
 */
export async function invokeFunction(
  client: LambdaClient,
  name: string,
  event: object,
  abortSignal: AbortSignal,
): Promise<void> {
  const command = new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) });
  const { FunctionError, Payload } = await client.send(command, { abortSignal });
  if (FunctionError === undefined) return;
  const said = Payload?.transformToString() ?? "";
  const noNode = /No such file or directory: 'node'/.test(said);
  throw new LabError("COMMAND_FAILED", `The function ${name} does not work.`, {
    reason: noNode ? "The emulator's image has no Node to run functions with." : said.slice(0, 500),
    remedy: noNode
      ? 'Build the image that has one with "make images", and set MINISTACK_IMAGE=parallax/ministack:1.5.33 if another is named.'
      : 'See "make logs" for the emulator and the services.',
  });
}

/**
 * Ends the function's warm environments: a change of configuration does, on AWS too. The next event finds none and waits for a
 * new one.
 * @param mark differs from one call to the next
 */
export async function endEnvironments(
  client: LambdaClient,
  name: string,
  mark: string,
  signal: AbortSignal,
): Promise<void> {
  const now = await configurationOf(client, name, signal);
  const Variables = { ...now?.Environment?.Variables, [COLD_START_MARK]: mark };
  await client.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables } }),
    { abortSignal: signal },
  );
  await untilUpdated(client, name, signal);
}

/** Takes out what `endEnvironments` has left in the function's configuration; nothing is changed where there is nothing of it. */
export async function forgetMark(client: LambdaClient, name: string, signal: AbortSignal): Promise<void> {
  const now = await configurationOf(client, name, signal);
  // Lambda refuses a second change while the first is under way.
  if (now?.LastUpdateStatus === "InProgress") await untilUpdated(client, name, signal);
  const { [COLD_START_MARK]: mark, ...Variables } = now?.Environment?.Variables ?? {};
  if (mark === undefined) return;
  await client.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables } }),
    { abortSignal: signal },
  );
  await untilUpdated(client, name, signal);
}

/** What to tell a person of any error here; an abort's reason stays what it is. */
export function deploymentFailed(name: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof LabError) return error;
  return new LabError("COMMAND_FAILED", `The function ${name} could not be deployed.`, {
    reason: messageOf(error),
    remedy: 'See "make logs" for the emulator.',
    cause: error,
  });
}

const COLD_START_MARK = "COLD_START";

async function configurationOf(
  client: LambdaClient,
  FunctionName: string,
  abortSignal: AbortSignal,
): Promise<FunctionConfiguration | undefined> {
  const command = new GetFunctionConfigurationCommand({ FunctionName });
  return await client.send(command, { abortSignal }).catch(unlessNamed("ResourceNotFoundException"));
}

async function create(
  client: LambdaClient,
  spec: FunctionSpec,
  { zip }: Pick<BundledFunction, "zip">,
  abortSignal: AbortSignal,
): Promise<void> {
  const command = new CreateFunctionCommand({ ...configured(spec), Code: { ZipFile: zip } });
  await client.send(command, { abortSignal });
  const waiter = { client, maxWaitTime: WAIT_SECONDS, minDelay: 1, maxDelay: 2, abortSignal };
  await waitUntilFunctionActiveV2(waiter, { FunctionName: spec.name });
}

/** One change after the other: Lambda refuses a second one while the first is under way. */
async function updated(
  client: LambdaClient,
  spec: FunctionSpec,
  { zip, sha256 }: Pick<BundledFunction, "zip" | "sha256">,
  before: FunctionConfiguration,
  signal: AbortSignal,
): Promise<"updated" | "kept"> {
  const newCode = before.CodeSha256 !== sha256;
  if (newCode) {
    const command = new UpdateFunctionCodeCommand({ FunctionName: spec.name, ZipFile: zip });
    await client.send(command, { abortSignal: signal });
    await untilUpdated(client, spec.name, signal);
  }
  const wanted = configured(spec);
  const newSettings =
    before.Runtime !== wanted.Runtime ||
    before.Handler !== wanted.Handler ||
    before.MemorySize !== wanted.MemorySize ||
    before.Timeout !== wanted.Timeout ||
    !isDeepStrictEqual({ ...before.Environment?.Variables }, { ...wanted.Environment.Variables });
  if (newSettings) {
    await client.send(new UpdateFunctionConfigurationCommand(wanted), { abortSignal: signal });
    await untilUpdated(client, spec.name, signal);
  }
  return newCode || newSettings ? "updated" : "kept";
}

function configured(spec: FunctionSpec) {
  return {
    FunctionName: spec.name,
    Runtime: FUNCTION_RUNTIME,
    Handler: FUNCTION_HANDLER,
    Role: spec.role,
    MemorySize: spec.memoryMb,
    Timeout: spec.timeoutSeconds,
    Environment: { Variables: { ...spec.environment } },
  };
}

async function untilUpdated(client: LambdaClient, FunctionName: string, abortSignal: AbortSignal) {
  const waiter = { client, maxWaitTime: WAIT_SECONDS, minDelay: 1, maxDelay: 2, abortSignal };
  await waitUntilFunctionUpdatedV2(waiter, { FunctionName });
}

function unlessNamed(name: string) {
  return (error: unknown): undefined => {
    if (!(error instanceof Error && error.name === name)) throw error;
  };
}

function present(value: string | undefined): string {
  if (value === undefined) throw new Error("Lambda answered without the function's ARN or hash");
  return value;
}
