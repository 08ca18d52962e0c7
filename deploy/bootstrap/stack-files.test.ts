import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BROKER_ACCESS, brokerConfig } from "@skep/core/workspace/broker-files.ts";
import { expect, it } from "vitest";

/** The lines of a file of the stack that are no comment. */
function linesOf(name: string): readonly string[] {
  return said(readFileSync(join(import.meta.dirname, "../../stack", name), "utf8"));
}

function said(text: string): readonly string[] {
  return text.split("\n").filter(line => line !== "" && !line.startsWith("#"));
}

// The gate's tests run against what brokerConfig makes.
it("configures the stack's broker as the gate knows it, but for where its files and its log are", () => {
  const isPlace = (line: string): boolean => /^(password_file|acl_file) /.test(line);
  const stacks = linesOf("mosquitto.conf");
  expect(stacks.filter(isPlace)).toEqual([
    "password_file /run/secrets/mosquitto_passwords",
    "acl_file /etc/mosquitto/access",
  ]);
  const known = said(brokerConfig("/x")).filter(line => !isPlace(line));
  expect(stacks.filter(line => known.includes(line))).toEqual(known);
  expect(stacks.filter(line => !known.includes(line) && !isPlace(line))).toEqual([
    "per_listener_settings true",
    "listener 1883",
    "persistence true",
    "persistence_location /mosquitto/data/",
    "autosave_interval 5",
    "log_dest stderr",
    "connection_messages false",
  ]);
});

it("lets the broker's users do what the gate counts on", () => {
  expect(linesOf("mosquitto-access.conf")).toEqual(said(BROKER_ACCESS));
});

// A static configuration names everything, so that one is the other and the ports of devices.
it("gives an edge with workspaces all that an edge without them has", () => {
  const withWorkspaces = linesOf("traefik-workspaces.yml");
  expect(linesOf("traefik.yml").filter(line => !withWorkspaces.includes(line))).toEqual([]);
});
