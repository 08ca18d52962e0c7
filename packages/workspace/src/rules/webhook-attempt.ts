import type { Clock } from "@skep/kit/clock.ts";
import { headersOf, type Posting } from "./webhook-posting.ts";
import type { Post } from "./webhook-post.ts";

/** One attempt, whole: from the name to the end of the answer. */
const LIMIT_MS = 5_000;

/** Posts once; rejects with an `AttemptFailed`, and with nothing else. */
export async function attempt(
  posting: Posting,
  { post, clock }: { readonly post: Post; readonly clock: Clock },
  closing: AbortSignal,
): Promise<void> {
  const { url, body } = posting;
  // Signed anew each time: receivers refuse an old signature.
  const headers = headersOf(posting, clock.now());
  const timeUp = new AbortController();
  const stop = clock.timer(LIMIT_MS, () => timeUp.abort());
  try {
    const status = await post({ url, headers, body }, AbortSignal.any([closing, timeUp.signal]));
    if (status < 200 || status > 299) throw new AttemptFailed(...judge(status));
  } catch (error) {
    if (error instanceof AttemptFailed) throw error;
    if (closing.aborted) throw new AttemptFailed("is given up, as the workspace ends", false);
    if (timeUp.signal.aborted) throw new AttemptFailed(`gives no answer within ${LIMIT_MS / 1_000} s`, true);
    throw new AttemptFailed(...explain(error));
  } finally {
    stop();
  }
}

/** Why an attempt failed, in words that follow the name of the host. */
export class AttemptFailed extends Error {
  /** Whether another attempt may get through. */
  readonly mayPass: boolean;

  constructor(says: string, mayPass: boolean) {
    super(says);
    this.mayPass = mayPass;
  }
}

function judge(status: number): [says: string, mayPass: boolean] {
  if (status >= 300 && status <= 399)
    return [`answers ${status}: a redirect is not followed, register where it leads to`, false];
  return [`answers ${status}`, status >= 500 || [408, 425, 429].includes(status)];
}

/** The system's own words may quote what is asked for; its codes do not. */
function explain(error: unknown): [says: string, mayPass: boolean] {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EACCES") return ["leads into the platform's own network", false];
  return [code === "" ? "cannot be reached" : `cannot be reached (${code})`, true];
}
