import { describe, expect, it } from "vitest";
import { aConnector } from "../testing/connector.ts";
import { hiddenPasswordIn, hidePassword, keepSecrets, withoutSecrets, withSecret } from "./secrets.ts";

const at = (url: string | undefined, secret = "sk_live_0123456789") =>
  aConnector({}, { secret }, { database: { url, size: 10 } });
const URL_OF_ITS_OWN = "mongodb://tenant:hunter2@db.example:27017/data";

describe("the secrets of a connector", () => {
  it("are not shown", () => {
    const shown = withoutSecrets(at(URL_OF_ITS_OWN));
    expect(shown).toEqual(at("mongodb://tenant:***@db.example:27017/data", ""));
    expect(withoutSecrets(shown)).toEqual(shown);
  });

  it.each([
    ["mongodb://db.example/data", "mongodb://db.example/data"],
    ["mongodb://tenant@db.example/data", "mongodb://tenant@db.example/data"],
    ["mongodb://tenant:a@b:c@db.example/data", "mongodb://tenant:***@db.example/data"],
    ["mongodb+srv://u:p@one.example", "mongodb+srv://u:***@one.example"],
    ["mongodb://one.example:1,two.example:2/data", "mongodb://one.example:1,two.example:2/data"],
    ["nothing", "nothing"],
  ])("that stand in an address are found: %s", (url, shown) => {
    expect(hidePassword(url)).toBe(shown);
  });

  it("stay where a change gives back what was shown, and change where it says others", () => {
    const recorded = at(URL_OF_ITS_OWN);
    expect(keepSecrets(withoutSecrets(recorded), recorded)).toEqual(recorded);
    const other = at("mongodb://tenant:***@other.example/data", "sk_live_another1");
    expect(keepSecrets(other, recorded)).toEqual(other);
    expect(keepSecrets(at(undefined, ""), recorded)).toEqual(at(undefined));
    expect(withSecret(recorded, "x")).toEqual(at(URL_OF_ITS_OWN, "x"));
  });

  it("of its file storage are hidden, and kept only for the same server, bucket and key", () => {
    const store = { url: "https://s3.example.com", region: "eu-1", bucket: "files", accessKey: "k", secretKey: "word" };
    const of = (over: object) => aConnector({}, {}, { files: { ...store, ...over } });
    const shown = withoutSecrets(of({}));
    expect(shown.config.resources.specs.files).toEqual({ ...store, secretKey: "***" });
    const kept = (wanted: object) => keepSecrets(of(wanted), of({})).config.resources.specs.files?.secretKey;
    expect(kept({ secretKey: "***", region: "other" })).toBe("word");
    expect(kept({ secretKey: "another" })).toBe("another");
    for (const over of [{ url: "https://evil.example" }, { bucket: "other" }, { accessKey: "other" }])
      expect(kept({ secretKey: "***", ...over })).toBe("***");
    expect(hiddenPasswordIn(of({ secretKey: "***" }))).toBe("files.secret_key");
    expect(hiddenPasswordIn(of({}))).toBeUndefined();
    expect(keepSecrets(aConnector(), of({})).config.resources.specs).not.toHaveProperty("files");
    expect(withSecret(of({}), "x").config.resources.specs.files).toEqual(store);
  });
});
