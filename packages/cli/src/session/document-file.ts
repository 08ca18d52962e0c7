import { resolve } from "node:path";
import { fromJson, type DescMessage, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { unknownFields, unknownFieldsSentence } from "@skep/api/codec/unknown-fields.ts";
import { SkepError } from "@skep/core/error.ts";
import { parse } from "yaml";
import { readStart, type Io } from "../io.ts";

const MOST_CHARACTERS = 1_000_000;

/**
 * Reads a file of JSON or YAML (`-` is standard input).
 * @throws SkepError `invalid_argument` where it cannot be read, is too large or is neither.
 */
export function readDocument(io: Io, file: string): JsonValue {
  const text = readText(io, file);
  try {
    return parse(text) as JsonValue;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    // Behind the colon stood the line, which is not shown: it may have a secret.
    throw refused("FILE_MALFORMED", `${file} is neither JSON nor YAML: ${why.replace(/:$/, "")}`);
  }
}

/**
 * The message that a document says. @throws SkepError `invalid_argument` for a field that there is
 * not, or that is of another kind.
 */
export function messageOf<D extends DescMessage>(schema: D, document: JsonValue, file: string): MessageShape<D> {
  const issues = unknownFields(schema, document);
  if (issues.length > 0)
    throw new SkepError("invalid_argument", "FILE_MALFORMED", `${file}: ${unknownFieldsSentence(issues)}.`, { issues });
  try {
    return fromJson(schema, document);
  } catch (error) {
    throw refused("FILE_MALFORMED", `${file}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** The text of a file, or of standard input. @throws as `readDocument`. */
export function readText(io: Io, file: string): string {
  let text: string;
  try {
    text = file === "-" ? io.readInput() : readStart(resolve(io.cwd, file), MOST_CHARACTERS * 4 + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw refused("FILE_UNREADABLE", `The file ${file} cannot be read (${code}): check its name.`);
  }
  if (text.length > MOST_CHARACTERS)
    throw refused("FILE_TOO_LARGE", `${file} is too large: keep it below ${MOST_CHARACTERS} characters.`);
  return text;
}

function refused(reason: string, message: string): SkepError {
  return new SkepError("invalid_argument", reason, message);
}
