import type { Issue } from "../error.ts";
import { check, checkWhole } from "../model/validate-rules.ts";
import { sizeOfField } from "./layout.ts";
import { isPath } from "./path.ts";
import type { FieldRule, Format, Schema } from "./schema.ts";
import { whyNotConverted } from "./units.ts";

const MOST_FIELDS = 200;
const MOST_SOURCES = 16;
const MOST_BYTES = 65_536;
const MOST_WORDS = 200;
const LONGEST_WORD = 128;

/** Everything that is wrong with a schema, by the path of the field; empty for a good one. */
export function validateSchema(schema: Schema): readonly Issue[] {
  const issues: Issue[] = [];
  checkReference(issues, "reference", schema.reference);
  checkFormat(issues, schema.format);
  const count = schema.fields.size;
  const some = `describe 1 to ${MOST_FIELDS}`;
  check(issues, "fields", count >= 1 && count <= MOST_FIELDS, `there are ${count} fields`, some);
  for (const [field, rule] of schema.fields) checkField(issues, field, rule);
  return issues;
}

/** Notes an issue unless the text can name a schema or a rule. */
export function checkReference(issues: Issue[], path: string, text: string): void {
  const good = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text);
  check(
    issues,
    path,
    good,
    `"${text.slice(0, 64)}" is no name`,
    "use 1 to 64 letters, digits, dots, dashes and underscores",
  );
}

function checkFormat(issues: Issue[], format: Format): void {
  if (format.kind === "binary") {
    format.fields.forEach((field, index) => {
      const path = `format.fields[${index}]`;
      check(
        issues,
        `${path}.name`,
        isPath(field.name),
        `"${field.name.slice(0, 64)}" is no name`,
        "use letters and digits",
      );
      const isText = field.type === "text";
      const hasLength = field.length !== undefined;
      const advice = isText ? "say how many bytes it has" : "leave it out: it follows from the type";
      check(
        issues,
        `${path}.length`,
        isText === hasLength,
        `a ${field.type} has ${hasLength ? "a" : "no"} length`,
        advice,
      );
      if (isText && field.length !== undefined) checkWhole(issues, `${path}.length`, field.length, 1, MOST_BYTES);
    });
    const size = format.fields.reduce((sum, field) => sum + sizeOfField(field), 0);
    check(
      issues,
      "format.fields",
      size >= 1 && size <= MOST_BYTES,
      `they have ${size} bytes`,
      `use 1 to ${MOST_BYTES}`,
    );
  }
  if (format.kind === "positional") {
    const { separator, head, struct } = format;
    const good = separator.length >= 1 && separator.length <= 8;
    check(issues, "format.separator", good, `it has ${separator.length} characters`, "use 1 to 8");
    const words = head.length + struct.length;
    check(
      issues,
      "format.struct",
      words <= MOST_WORDS,
      `head and struct have ${words} words`,
      `use at most ${MOST_WORDS}`,
    );
    check(
      issues,
      "format.struct",
      struct.some(name => name !== ""),
      "it names nothing",
      "name what is to be read",
    );
    struct.forEach((name, index) => {
      const isName = name === "" || isPath(name);
      check(issues, `format.struct[${index}]`, isName, `"${name.slice(0, 64)}" is no name`, "use letters and digits");
    });
    head.forEach((word, index) => {
      const isWord = word.length <= LONGEST_WORD && !word.includes(separator);
      check(
        issues,
        `format.head[${index}]`,
        isWord,
        "it is long or has the separator",
        `use at most ${LONGEST_WORD} characters`,
      );
    });
  }
}

function checkField(issues: Issue[], field: string, rule: FieldRule): void {
  const path = `fields["${field.slice(0, 64)}"]`;
  check(issues, path, isPath(field), "it is no path", "use names and dots, such as gps.speed");
  const count = rule.sources.length;
  const some = `name 1 to ${MOST_SOURCES}`;
  check(issues, `${path}.sources`, count >= 1 && count <= MOST_SOURCES, `there are ${count}`, some);
  rule.sources.forEach((source, index) => {
    const isGood = isPath(source);
    check(
      issues,
      `${path}.sources[${index}]`,
      isGood,
      `"${source.slice(0, 64)}" is no path`,
      "use names and dots, such as gps.lat",
    );
  });
  const isNumber = rule.type === "number" || rule.type === "integer";
  const { unit, sentUnit, scale, offset, least, most } = rule;
  const isPlain =
    unit === undefined &&
    sentUnit === undefined &&
    scale === 1 &&
    offset === 0 &&
    least === undefined &&
    most === undefined;
  check(issues, path, isNumber || isPlain, `a ${rule.type} has no unit, scale or bounds`, "leave them out");
  const isFinite = [scale, offset, least ?? 0, most ?? 0].every(Number.isFinite) && scale !== 0;
  check(issues, `${path}.scale`, isFinite, "scale, offset and bounds are numbers, and scale is not 0", "correct them");
  check(
    issues,
    `${path}.least`,
    (least ?? -Infinity) <= (most ?? Infinity),
    `${least} is above ${most}`,
    "turn them round",
  );
  const why = sentUnit === undefined ? undefined : whyNotConverted(sentUnit, unit ?? "");
  check(issues, `${path}.sentUnit`, why === undefined, why ?? "", "use two units of one kind");
}
