/** What every list answers beside its items. */
interface Page {
  readonly nextPageToken: string;
}

/**
 * Walks all pages of a list; `ask` gets the page token, empty for the first page. Yields each
 * answer.
 */
export async function* pages<P extends Page>(ask: (pageToken: string) => Promise<P>): AsyncGenerator<P> {
  let token = "";
  do {
    const page = await ask(token);
    yield page;
    token = page.nextPageToken;
  } while (token !== "");
}
