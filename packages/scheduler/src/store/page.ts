import type { Page, PageRequest } from "./request.ts";
import { refuse } from "./refusals.ts";

const LARGEST_PAGE = 1000;

/** A page's bounds: items come after `after` in the order of their key, `limit` of them. */
export function readPage(page: PageRequest): { readonly after: string | undefined; readonly limit: number } {
  const limit = Math.max(1, Math.min(LARGEST_PAGE, page.size));
  if (page.token === undefined) return { after: undefined, limit };
  const after = Buffer.from(page.token, "base64url").toString("utf8");
  if (after === "" || Buffer.from(after, "utf8").toString("base64url") !== page.token) throw refuse.badToken();
  return { after, limit };
}

/**
 * Makes a page of items that were read one beyond the limit, so that the last page is known as
 * such.
 */
export function makePage<T>(items: readonly T[], limit: number, keyOf: (item: T) => string): Page<T> {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  const more = items.length > limit && last !== undefined;
  return { items: shown, nextToken: more ? Buffer.from(keyOf(last), "utf8").toString("base64url") : undefined };
}
