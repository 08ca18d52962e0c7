import { expect, it } from "vitest";
import { isName } from "../model/validate-rules.ts";
import { CONFIRMATION_FILTERS, confirmationTopic, readConfirmationTopic } from "./confirmation.ts";
import { matches, maySubscribe, parseTopic } from "./topic.ts";

const KINDS = ["stored", "begun"] as const;

it.each(KINDS)("is told by a topic that a gate hears and nobody else can reach: %s", kind => {
  const topic = confirmationTopic(kind, "acme");
  expect(CONFIRMATION_FILTERS.filter(one => matches(one, topic))).toHaveLength(1);
  expect(readConfirmationTopic(topic)).toEqual({ kind, workspaceId: "acme" });
  const [root = ""] = topic.split("/");
  expect(isName(root)).toBe(false);
  expect(parseTopic(`${root}/devices/d1/telemetry`)).toBeUndefined();
  for (const filter of [topic, `${root}/#`, "#", "+/stored/+"])
    expect(maySubscribe(filter, { workspaceId: "acme", deviceId: "d1" })).toBe(false);
});

it.each(["acme/devices/d1/telemetry", "_skep/stored", "_skep/stored/acme/x", "_skep/other/acme", "_skep/stored/A b"])(
  "is not told by %s",
  topic => expect(readConfirmationTopic(topic)).toBeUndefined(),
);
