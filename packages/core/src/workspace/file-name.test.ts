import { describe, expect, it } from "vitest";
import { contentTypeOf, DEFAULT_EXTENSIONS, extensionOf, fileNameIssues, filePrefixIssues } from "./file-name.ts";

const problems = (name: string): string =>
  fileNameIssues(name, DEFAULT_EXTENSIONS)
    .map(one => one.problem)
    .join("; ");

describe("the name of a file", () => {
  it.each([
    "a.txt",
    "reports/2026/july.csv",
    "Größe 100%.pdf",
    "日本/写真.png",
    "v1.2.3.bin",
    "A.TXT",
    "2026-01-01T00:00:00.json",
    "..a.txt",
    "a..b.txt",
    `${"x".repeat(251)}.txt`,
  ])("may be %j", name => expect(problems(name)).toBe(""));

  it.each([
    ["", "bytes"],
    ["../a.txt", "a part of it is . or .."],
    ["a/../../b.txt", "a part of it is . or .."],
    ["a/./b.txt", "a part of it is . or .."],
    ["..", "a part of it is . or .."],
    ["a/...", "ends with a dot"],
    ["..\\a.txt", "backslash"],
    ["a\\b.txt", "backslash"],
    ["/etc/passwd.txt", "begins or ends with a slash"],
    ["//host/share.txt", "begins or ends with a slash"],
    ["a//b.txt", "two in a row"],
    ["a.txt/", "begins or ends with a slash"],
    ["C:/windows.txt", "drive"],
    ["c:a.txt", "drive"],
    ["a\0.txt", "nobody sees"],
    ["a.exe\0.txt", "nobody sees"],
    ["a\r\nX-Header: b.txt", "nobody sees"],
    ["a\u001b[2J.txt", "nobody sees"],
    ["a\u202Etxt.exe.txt", "nobody sees"],
    ["a\u200B.txt", "nobody sees"],
    ["a\uD800.txt", "nobody sees"],
    ["a\u2028.txt", "nobody sees"],
    ["%2e%2e/a.txt", "encoded"],
    ["%252e%252e%252fa.txt", "encoded"],
    ["..%2fa.txt", "encoded"],
    ["%c0%ae%c0%ae/a.txt", "encoded"],
    ["%u002e%u002e/a.txt", "encoded"],
    ["a%00.txt", "encoded"],
    ["．．/a.txt", "look-alikes"],
    ["‥/a.txt", "look-alikes"],
    ["a／b.txt", "look-alikes"],
    ["a＼b.txt", "look-alikes"],
    ["e\u0301.txt", "accents"],
    [" a.txt", "space"],
    ["a /b.txt", "space"],
    ["a.txt.", "ends with a dot"],
    [`${"x".repeat(252)}.txt`, "too long"],
    [`${"ä".repeat(126)}.txt`, "too long"],
    [`${"a/".repeat(16)}a.txt`, "too deep"],
    [`${"abcdefghi/".repeat(60)}a.txt`, "bytes"],
    ["a", "no extension"],
    [".txt", "no extension"],
    ["dir.txt/a", "no extension"],
    ["a.", "no extension"],
    ["a.php", "files of .php are not kept here"],
    ["a.txt.svg", "files of .svg are not kept here"],
    ["a.HTML", "files of .html are not kept here"],
  ])("may not be %j", (name, problem) => expect(problems(name)).toContain(problem));

  it("has an extension of the workspace's own list only", () => {
    expect(fileNameIssues("a.csv", ["txt"])).toMatchObject([{ advice: "use one of txt" }]);
    expect(fileNameIssues("a.TXT", ["txt"])).toEqual([]);
  });
});

describe("what names of a list begin with", () => {
  it.each(["", "a", "reports/", "reports/2026-"])("may be %j", prefix => expect(filePrefixIssues(prefix)).toEqual([]));

  it.each(["/", "../", "a/../../b", "a//", "%2e%2e/", "a\0", "a\\", "x".repeat(513)])("may not be %j", prefix =>
    expect(filePrefixIssues(prefix)).not.toEqual([]),
  );
});

it("tells a type that no browser runs", () => {
  expect(["a.json", "a.JPG", "a.html", "a.svg", "a"].map(contentTypeOf)).toEqual([
    "application/json",
    "image/jpeg",
    ...Array.from({ length: 3 }, () => "application/octet-stream"),
  ]);
  expect([extensionOf("a.b/c"), extensionOf("a/.b"), extensionOf("a/b.C")]).toEqual(["", "", "c"]);
});
