/** The topic or the queue of a call is not there; as SNS, SQS and their emulators say so. */

const MISSING = new Set([
  "NotFound",
  "NotFoundException",
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
]);

export function isMissing(error: unknown): boolean {
  return error instanceof Error && MISSING.has(error.name);
}
