import { ConfigError } from "@skep/kit/config.ts";
import { DEFAULT_SETTINGS } from "@skep/core/decide/world.ts";
import { describe, expect, it } from "vitest";
import { readConfig, settingsOf } from "./config.ts";

describe("the configuration", () => {
  it("is complete without a single variable", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ apiPort: 7700, edgePort: 7701, postgresHost: "localhost", logLevel: "info" });
    expect(settingsOf(config)).toEqual(DEFAULT_SETTINGS);
  });

  it("names every variable that is wrong, at once", () => {
    const wrong = { SKEP_API_PORT: "seven", SKEP_LOG_LEVEL: "loud", SKEP_API_TOKEN: "short" };
    const read = (): unknown => readConfig(wrong);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/SKEP_API_PORT[^]*SKEP_LOG_LEVEL/);
  });
});
