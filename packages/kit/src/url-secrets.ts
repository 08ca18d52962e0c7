/**
 * Up to the last `@` of the word, since a password may hold `/` and `@` that nobody escaped. Both
 * parts are bounded, so that a hostile text costs no more than its length.
 */
const WHO = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s"'<>]{0,2048}@/gi;

/** The text without what URLs in it say before their host: who asks, and by which password. */
export function hideUrlSecrets(text: string): string {
  return text.replace(WHO, "$1***@");
}
