import { describe, expect, it } from "vitest";
import { readHostConfig } from "../config.ts";
import { fileRegionsOf } from "./regions.ts";

const regionsOf = (environment: Record<string, string>) => fileRegionsOf(readHostConfig(environment));
const EU = {
  name: "eu-1",
  endpoint: "http://eu:7070",
  bucket: "b",
  accessKeyId: "a",
  secretAccessKey: "a-secret-word",
};

describe("the regions of files", () => {
  it("are none where nothing is set", () => {
    expect(regionsOf({})).toEqual([]);
  });

  it("are one by a few settings", () => {
    expect(regionsOf({ SKEP_S3_URL: "http://s3:7070", SKEP_S3_SECRET_KEY: "x" })).toEqual([
      {
        ...{ name: "us-east-1", s3Region: "us-east-1", endpoint: "http://s3:7070", bucket: "skep" },
        ...{ accessKeyId: "skep", secretAccessKey: "x", isInside: true },
      },
    ]);
  });

  it("are several as JSON", () => {
    const us = { ...EU, name: "us-1", publicEndpoint: "https://us.example.com", s3Region: "x" };
    expect(regionsOf({ SKEP_S3_REGIONS: JSON.stringify([EU, us]) })).toEqual([{ ...EU, isInside: true }, us]);
  });

  it.each([
    ["http://versitygw:7070", true],
    ["http://127.0.0.1:7070", true],
    ["http://[::1]:7070", true],
    ["http://10.0.0.5", true],
    ["https://s3.eu-1.example.com", undefined],
    ["https://93.184.216.34:9000", undefined],
  ])("at %s are reached from outside or not", (endpoint, isInside) => {
    const keys = { SKEP_S3_SECRET_KEY: "x" };
    expect(regionsOf({ SKEP_S3_URL: endpoint, ...keys })[0]?.isInside).toBe(isInside);
    const known = { SKEP_S3_URL: endpoint, SKEP_S3_PUBLIC_URL: "https://files.example.com", ...keys };
    expect(regionsOf(known)[0]).not.toHaveProperty("isInside");
  });

  it.each([
    [{ SKEP_S3_URL: "http://s3:7070" }, "SKEP_S3_SECRET_KEY is not"],
    [{ SKEP_S3_URL: "s3:7070" }, "SKEP_S3_URL"],
    [{ SKEP_S3_REGIONS: "[a-secret-word" }, "it is no JSON"],
    [{ SKEP_S3_REGIONS: "[]" }, "SKEP_S3_REGIONS: it"],
    [{ SKEP_S3_REGIONS: JSON.stringify([EU, EU]) }, "eu-1 stands there twice"],
    [{ SKEP_S3_REGIONS: JSON.stringify([{ ...EU, bucket: "" }]) }, "0.bucket"],
    [{ SKEP_S3_REGIONS: JSON.stringify([{ ...EU, key: "a-secret-word" }]) }, "0"],
  ])("are refused as %j, and no secret is told", (environment, sentence) => {
    const read = (): unknown => regionsOf(environment as Record<string, string>);
    expect(read).toThrow(sentence);
    expect(read).toThrow(/^((?!a-secret-word).)*$/s);
  });
});
