import { BOUNDS } from "@skep/core/model/bounds.ts";
import type { Strategy } from "@skep/core/model/deployment.ts";
import type { Reading, ServiceDraft } from "./draft.ts";
import { readProbe } from "./health.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./spots.ts";
import { readBoolean, readInteger, readText, readTexts, readWord } from "./values.ts";

const STRATEGIES: readonly Strategy[] = ["least-loaded", "round-robin", "resource-based", "spread"];

/** `x-skep` of a service: what Compose cannot say. */
export function readExtension(spot: Spot, draft: ServiceDraft, { problems, names }: Reading): void {
  const ofPod = (read: (value: Spot) => void) => (value: Spot, key: ServiceDraft["place"]) => {
    draft.podKeys.push(key);
    read(value);
  };
  readSection(
    spot,
    {
      name: "x-skep",
      keys: {
        strategy: ofPod(value => (draft.placement.strategy = readWord(value, problems, STRATEGIES) ?? "least-loaded")),
        antiAffinity: ofPod(value => {
          const others = readTexts(value, problems, "single");
          draft.placement.antiAffinity = others.map(other => names.get(other) ?? other);
        }),
        probe: (value, key) => {
          if (draft.container.health !== undefined)
            problems.refuse(key, "the service has a `healthcheck` and a probe", "Keep one of them");
          draft.container.health = readProbe(value, problems) ?? draft.container.health;
        },
        maxConcurrent: ofPod(value => {
          const most = readInteger(value, problems, { ...BOUNDS.maxConcurrent, least: 0 });
          if (most !== undefined) draft.job = { maxConcurrent: most === 0 ? undefined : most };
        }),
        exclusive: ofPod(value => (draft.exclusive = readBoolean(value, problems))),
        source: ofPod(value => readSource(value, draft, problems)),
      },
    },
    problems,
  );
}

function readSource(spot: Spot, draft: ServiceDraft, problems: Reading["problems"]): void {
  const source = { repository: "", branch: "" };
  readSection(
    spot,
    {
      name: "source",
      keys: {
        repository: value => (source.repository = readText(value, problems) ?? ""),
        branch: value => (source.branch = readText(value, problems) ?? ""),
      },
    },
    problems,
  );
  draft.source = source;
}
