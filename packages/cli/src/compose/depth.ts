import { Lexer } from "yaml";

/** What the lexer puts between tokens: documents, scalars and errors begin with them. */
const MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001F"]);

/**
 * Where a text first nests deeper than it may: brackets in brackets, or `- - -` on one line. The
 * parser calls itself once for each level, so that this is looked at before, in one pass over the
 * tokens.
 */
export function tooDeepAt(text: string, most: number): { readonly line: number; readonly column: number } | undefined {
  let [line, column, brackets, indicators] = [1, 1, 0, 0];
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") brackets += 1;
    else if (token === "]" || token === "}") brackets -= 1;
    else if (token === "-" || token === "?") indicators += 1;
    if (brackets > most || indicators > most) return { line, column };
    // Marks of the lexer's own are no text of the file.
    if (MARKS.has(token)) continue;
    const breaks = token.split("\n");
    if (breaks.length > 1) [line, column, indicators] = [line + breaks.length - 1, 1, 0];
    column += breaks.at(-1)?.length ?? 0;
  }
  return undefined;
}
