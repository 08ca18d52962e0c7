import type { Issue } from "@skep/core/error.ts";
import { isPublicAddress, looksLikeAddress } from "@skep/core/workspace/address.ts";
import { isAllowedHost } from "@skep/core/workspace/database-url.ts";

const LONGEST = 2_048;

/**
 * What is wrong with the address of a webhook. It has to be somewhere in the Internet and speak
 * TLS, since a host would carry a tenant into the platform's own network. `allowedHosts` are those
 * that the operator lets be inside, and speak plain HTTP. A name may still lead inside: the lookup
 * judges that. No issue repeats the address, as its path is often a secret.
 */
export function webhookIssues(text: string, allowedHosts: readonly string[]): readonly Issue[] {
  const url = text.length > LONGEST ? null : URL.parse(text);
  if (url === null) return [issue("it is no address", `use https://host/path, of up to ${LONGEST} characters`)];
  const host = hostOf(url);
  const isAllowed = isAllowedHost(host, allowedHosts);
  const issues: Issue[] = [];
  if (url.protocol !== "https:" && !(isAllowed && url.protocol === "http:"))
    issues.push(issue(`it speaks ${url.protocol.slice(0, 20)}`, "use https:"));
  if (url.username !== "" || url.password !== "")
    issues.push(issue("it names a user", "leave user and password out; give the webhook a secret instead"));
  if (!isAllowed && looksLikeAddress(host) && !isPublicAddress(host))
    issues.push(issue("its host is no address in the Internet", "use one that is reached over the Internet"));
  return issues;
}

/** The host of an address, without the brackets of IPv6. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function issue(problem: string, advice: string): Issue {
  return { path: "url", problem, advice };
}
