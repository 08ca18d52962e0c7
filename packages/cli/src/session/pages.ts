import { pages } from "@skep/sdk/pages.ts";

/** Every item of a list that comes in pages. */
export async function allPages<P extends { readonly nextPageToken: string }, T>(
  read: (pageToken: string) => Promise<P>,
  items: (page: P) => readonly T[],
): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const page of pages(read)) found.push(...items(page));
  return found;
}
