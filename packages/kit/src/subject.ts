/**
 * Whether a pattern (`*` stands for one token, `>` for one or more at the end) takes a subject.
 */
export function matchesSubject(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  // Most patterns differ from a subject in what stands before their first wildcard.
  const wild = pattern.search(/[*>]/);
  if (!subject.startsWith(wild < 0 ? pattern : pattern.slice(0, wild))) return false;
  const wanted = pattern.split(".");
  const given = subject.split(".");
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === ">") return given.length > at;
    if (at >= given.length || (wanted[at] !== "*" && wanted[at] !== given[at])) return false;
  }
  return wanted.length === given.length;
}

/** Whether a subject has a wildcard, so that it can be subscribed to but not published to. */
export function isPattern(subject: string): boolean {
  return /(?:^|\.)[*>](?:\.|$)/.test(subject);
}

/** What is surely a subject and a pattern; most are. */
const PLAIN = /^[\w-]+(?:\.[\w-]+)*$/;

/**
 * @throws TypeError when the subject cannot be published to (or, with `pattern`, subscribed to).
 */
export function assertSubject(subject: string, kind: "subject" | "pattern"): void {
  if (PLAIN.test(subject)) return;
  const tokens = subject.split(".");
  const broken =
    tokens.some(token => token === "" || /\s/.test(token)) ||
    (kind === "pattern" ? tokens.slice(0, -1).includes(">") : isPattern(subject));
  if (!broken) return;
  throw new TypeError(
    `"${subject}" is no ${kind} of the bus: give tokens without blanks, parted by dots` +
      (kind === "pattern" ? ", and > only as the last one." : ", and no wildcard."),
  );
}

/** @throws RangeError when a message is larger than the server takes. */
export function assertSize(subject: string, data: Uint8Array, limitBytes = Infinity): void {
  if (data.byteLength <= limitBytes) return;
  throw new RangeError(
    `A message of ${data.byteLength} bytes on ${subject} is over the server's limit of ${limitBytes}: send it in parts.`,
  );
}
