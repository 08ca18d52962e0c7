import type { Issue } from "../error.ts";
import type { WorkspaceId } from "./connector.ts";

/** Bytes of a name; S3 takes keys of 1,024, and the workspace's own part comes before it. */
export const LONGEST_FILE_NAME = 512;
/** Bytes of one part of a name: what keeps objects as files takes no more. */
const LONGEST_PART = 255;
const MOST_PARTS = 16;

/** What a workspace that says nothing may keep: data, documents, pictures, archives, firmware. */
export const DEFAULT_EXTENSIONS: readonly string[] = [
  ...["bin", "cbor", "csv", "fw", "geojson", "gz", "hex", "json", "jsonl", "log", "parquet", "tar", "txt", "xml"],
  ...["yaml", "yml", "zip", "zst", "md", "pdf", "gif", "jpeg", "jpg", "png", "webp", "mp3", "mp4", "wav"],
];

const TYPES: Readonly<Record<string, string>> = {
  csv: "text/csv",
  geojson: "application/geo+json",
  gif: "image/gif",
  gz: "application/gzip",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  log: "text/plain",
  md: "text/plain",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  txt: "text/plain",
  wav: "audio/wav",
  webp: "image/webp",
  zip: "application/zip",
};

/** Everything that is wrong with the name of a file; empty for a good one (R38, R39). */
export function fileNameIssues(name: string, extensions: readonly string[]): readonly Issue[] {
  const issues = [...pathIssues(name)];
  if (name.split("/").includes("")) {
    issues.push(issueOf("it begins or ends with a slash, or has two in a row", "write folder/file.txt"));
  }
  const extension = extensionOf(name);
  if (!extensions.includes(extension)) {
    const what = extension === "" ? "it has no extension" : `files of .${extension.slice(0, 20)} are not kept here`;
    issues.push(issueOf(what, `use one of ${extensions.join(", ")}`));
  }
  return issues;
}

/** The same for what names of a list begin with, which may be empty or end within a part. */
export function filePrefixIssues(prefix: string): readonly Issue[] {
  if (prefix === "") return [];
  const issues = [...pathIssues(prefix)];
  if (prefix.startsWith("/") || prefix.includes("//")) {
    issues.push(issueOf("it begins with a slash, or has two in a row", "write folder/"));
  }
  return issues;
}

/** The extension in lower case and without its dot; empty where there is none. */
export function extensionOf(name: string): string {
  const file = name.slice(name.lastIndexOf("/") + 1);
  const dot = file.lastIndexOf(".");
  return dot < 1 ? "" : file.slice(dot + 1).toLowerCase();
}

/** What a file is, by its extension: nothing that a browser would run. */
export function contentTypeOf(name: string): string {
  return TYPES[extensionOf(name)] ?? "application/octet-stream";
}

/** What the keys of all files of a workspace begin with. */
export function fileKeyPrefix(workspaceId: WorkspaceId): string {
  return `ws/${workspaceId}/`;
}

/**
 * What could lead out of the workspace in any store. A store that keeps objects as files resolves
 * `..`; some decode `%2e`; others take a look-alike for what it looks like.
 */
function pathIssues(name: string): readonly Issue[] {
  const issues: Issue[] = [];
  const bytes = bytesOf(name);
  const parts = name.split(/[/\\]/);
  if (name === "" || bytes > LONGEST_FILE_NAME) {
    issues.push(issueOf(`it has ${bytes} bytes`, `use 1 to ${LONGEST_FILE_NAME}`));
    return issues;
  }
  if (parts.length > MOST_PARTS || parts.some(part => bytesOf(part) > LONGEST_PART)) {
    issues.push(issueOf("it is too deep or a part is too long", `use ${MOST_PARTS} parts of ${LONGEST_PART} bytes`));
  }
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) {
    issues.push(issueOf("it has characters that nobody sees, such as NUL", "use characters that can be printed"));
  }
  if (name.includes("\\")) issues.push(issueOf("it has a backslash", "part folders with a slash"));
  if (/%[\da-f]{2}|%u[\da-f]{4}/i.test(name)) issues.push(issueOf("it is encoded", "send it decoded"));
  if (/^[a-z]:/i.test(name)) issues.push(issueOf("it begins with a drive", "name it from the workspace's own root"));
  if (parts.some(isBadPart)) {
    issues.push(issueOf("a part of it is . or .., or begins or ends with a space or ends with a dot", "rename it"));
  }
  // After this form a full-width dot or slash is a plain one.
  const plain = name.normalize("NFKC");
  if (plain.split("/").length !== name.split("/").length || (plain !== name && /\\|(^|\/)\.{1,2}(\/|$)/.test(plain))) {
    issues.push(issueOf("it has look-alikes of dots or slashes", "use plain ones"));
  }
  if (name.normalize("NFC") !== name)
    issues.push(issueOf("its accents are split off", "send it in Unicode's form NFC"));
  return issues;
}

function isBadPart(part: string): boolean {
  return part !== part.trim() || part.endsWith(".");
}

/** Bytes in UTF-8; half of a surrogate pair counts as three, like the sign that replaces it. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function issueOf(problem: string, advice: string): Issue {
  return { path: "name", problem, advice };
}
