import { stripVTControlCharacters } from "node:util";

/** A column: its heading, and whether its values stand at the right edge, as numbers do. */
export interface Column {
  readonly heading: string;
  readonly align?: "right";
}

/**
 * Rows under their headings, two blanks apart, without blanks at the ends of lines. The last column
 * may be cut to what is left of `width`; the others are never cut, because names and ids have to be
 * copied.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width?: number): string {
  const lines = [columns.map(({ heading }) => heading), ...rows.map(row => row.map(oneLine))];
  const widths = columns.map((_, index) => Math.max(...lines.map(line => shownWidth(line[index] ?? ""))));
  const left = widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  return lines
    .map(line =>
      columns
        .map(({ align }, index) => {
          const cell = line[index] ?? "";
          const last = index === columns.length - 1;
          const text = last && width !== undefined ? clip(cell, Math.max(20, width - left)) : cell;
          const blanks = " ".repeat(Math.max(0, (widths[index] ?? 0) - shownWidth(text)));
          return align === "right" ? blanks + text : text + blanks;
        })
        .join("  ")
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join("");
}

/** Names and values in two columns, for one thing in full. */
export function renderFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...fields.map(([name]) => name.length)) + 2;
  return fields
    .map(([name, value]) => `${name.padEnd(width)}${value.replaceAll("\n", `\n${" ".repeat(width)}`)}\n`)
    .join("");
}

/** Text cut to so many columns, with an ellipsis where something is missing. */
export function clip(text: string, width: number): string {
  return shownWidth(text) <= width ? text : `${stripVTControlCharacters(text).slice(0, Math.max(0, width - 1))}…`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}

function shownWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}
