import { describe, expect, it } from "vitest";
import { fileStoreIssues, isSameStore, type FileStore } from "./file-store.ts";

const STORE: FileStore = {
  ...{ url: "https://s3.eu-1.example.com", region: "eu-1", bucket: "fleet-files" },
  ...{ accessKey: "AKIA0123", secretKey: "a-secret-word" },
};
const issuesOf = (over: Partial<FileStore>, allowed: readonly string[] = []) =>
  fileStoreIssues({ ...STORE, ...over }, allowed).map(one => `${one.path.replace(/.*\./, "")}: ${one.problem}`);

describe("an S3 server of a tenant's own", () => {
  it.each([
    [{}],
    [{ url: "https://s3.example.com:9000/" }],
    [{ url: "https://93.184.216.34" }],
    [{ url: "https://[2606:4700::1111]:9000" }],
    [{ bucket: "a.b-c", region: "us-east-1" }],
  ])("may be %j", over => {
    expect(issuesOf(over)).toEqual([]);
  });

  it.each([
    [{ url: "http://s3.example.com" }, "url: it speaks http:"],
    [{ url: "https://versitygw:7070" }, "url: versitygw is in the platform's own network"],
    [{ url: "https://127.0.0.1:7070" }, "url: 127.0.0.1 is in the platform's own network"],
    [{ url: "https://10.0.0.5" }, "url: 10.0.0.5 is in"],
    [{ url: "https://[::1]:7070" }, "url: ::1 is in"],
    [{ url: "https://169.254.169.254" }, "url: 169.254.169.254 is in"],
    [{ url: "https://2130706433" }, "url: 2130706433 is in"],
    [{ url: "https://tasks.versitygw.example.com" }, "url: tasks.versitygw.example.com is in"],
    [{ url: "https://user:word@s3.example.com" }, "url: it is no address"],
    [{ url: "https://s3.example.com/path" }, "url: it is no address"],
    [{ url: "https://s3.example.com?x" }, "url: it is no address"],
    [{ url: "https://s3.example.com:99999" }, "url: it is no address"],
    [{ url: "file:///etc/passwd" }, "url: it is no address"],
    [{ url: "" }, "url: it is no address"],
    [{ bucket: "arn:aws:s3:::b" }, "bucket: it is no name"],
    [{ bucket: "../other" }, "bucket: it is no name"],
    [{ bucket: "" }, "bucket: it is no name"],
    [{ region: "eu 1" }, "region: it is no name"],
    [{ accessKey: "a b" }, "access_key: it is no name"],
    [{ secretKey: "" }, "secret_key: it is no key"],
  ])("may not be %j", (over, words) => {
    expect(issuesOf(over)).toEqual([expect.stringContaining(words)]);
  });

  it("may be inside where the operator allows the host, and speak plain HTTP there", () => {
    expect(issuesOf({ url: "http://minio.inside:9000" }, [".inside"])).toEqual([]);
    expect(issuesOf({ url: "http://minio.inside:9000" }, ["other.inside"])).toHaveLength(1);
  });

  it("tells no key in what is wrong with it", () => {
    const issues = fileStoreIssues({ ...STORE, url: "x", accessKey: "a word", secretKey: "a secret word" }, []);
    expect(issues).toHaveLength(3);
    expect(JSON.stringify(issues)).not.toMatch(/a word|a secret word/);
  });

  it("is another one by another place or key", () => {
    expect(isSameStore(STORE, { ...STORE })).toBe(true);
    expect(isSameStore(undefined, undefined)).toBe(true);
    for (const over of [
      { url: "https://x.example" },
      { region: "x" },
      { bucket: "xyz" },
      { accessKey: "x" },
      { secretKey: "x" },
    ])
      expect(isSameStore(STORE, { ...STORE, ...over })).toBe(false);
    expect(isSameStore(STORE, undefined)).toBe(false);
  });
});
