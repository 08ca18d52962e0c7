import { SkepError, type Issue } from "@skep/core/error.ts";

/** What the store's answers mean, by their name: each is the operator's to mend. */
const SETTINGS: Readonly<Record<string, string>> = {
  AccessDenied: "Give its access key the right to read, write, list and delete.",
  InvalidAccessKeyId: "Check its access key.",
  NoSuchBucket: "Make its bucket, or name another.",
  SignatureDoesNotMatch: "Check its secret key, its S3 region, and this machine's clock.",
  RequestTimeTooSkewed: "Set this machine's clock.",
  AuthorizationHeaderMalformed: "Check its S3 region.",
};

/** Refuses a name or a prefix for what is wrong with it. */
export function refuseName(issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const text = issues.map(({ problem, advice }) => `${problem} (${advice})`).join("; ");
  throw new SkepError("invalid_argument", "FILE_NAME", `The file's name is refused: ${text}.`, { issues });
}

/** A file that is not there. */
export function noFile(name: string): SkepError {
  return new SkepError("not_found", "NO_FILE", `There is no file ${name}. Ask for the list of files.`);
}

/** Files whose store has not answered since their workspace began. */
export function filesAway(problem: string): SkepError {
  const text = `The files are away: ${problem.replace(/\.?( Try again\.)?$/, "")}. It is tried again; messages are stored meanwhile.`;
  return new SkepError("unavailable", "FILES_AWAY", text);
}

/** Whether the store says that there is no such object. */
export function isMissing(error: unknown): boolean {
  const { name } = error as Error;
  return name === "NoSuchKey" || name === "NotFound";
}

/** A store's failure in words. Never holds a key of the store or a signed address. */
export function storeFailure(region: string, what: string, error: unknown): SkepError {
  if (error instanceof SkepError) return error;
  const { name, message } = error as Error;
  const text = `Region ${region} did not ${what}: ${name}: ${message.replaceAll(/https?:\/\/\S+/g, "(address)")}`.slice(
    0,
    500,
  );
  const advice = SETTINGS[name];
  if (advice !== undefined) {
    return new SkepError("failed_precondition", "FILE_STORE_SETTINGS", `${text}. ${advice}`, { cause: error });
  }
  if (name === "InvalidRange") {
    return new SkepError("invalid_argument", "FILE_RANGE", `${text}. Ask for bytes that the file has.`, {
      cause: error,
    });
  }
  return new SkepError("unavailable", "FILE_STORE_UNAVAILABLE", `${text}. Try again.`, { cause: error });
}
