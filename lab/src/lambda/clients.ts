/** Clients for Lambda and CloudWatch Logs, bounded in time. */

import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { LambdaClient } from "@aws-sdk/client-lambda";

export interface AwsAccess {
  readonly region: string;
  /** The emulator's URL; undefined means AWS itself. */
  readonly endpoint: string | undefined;
  /** Undefined where the SDK finds some by itself. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

export function lambdaClient(access: AwsAccess): LambdaClient {
  // A function is asked once whether it is well, which may take its whole time.
  return new LambdaClient(settings(access, 20_000));
}

export function logsClient(access: AwsAccess): CloudWatchLogsClient {
  return new CloudWatchLogsClient(settings(access, 10_000));
}

function settings({ region, endpoint, credentials }: AwsAccess, requestTimeout: number) {
  return {
    region,
    maxAttempts: 2,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    requestHandler: { connectionTimeout: 2_500, requestTimeout, throwOnRequestTimeout: true },
  };
}
