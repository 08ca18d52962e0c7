import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { ServiceDraft } from "./draft.ts";
import type { Problems } from "./problems.ts";
import type { Place } from "./tree.ts";

/** A deployment with the place of the service that it is named after. */
export interface Assembled {
  readonly spec: DeploymentSpec;
  readonly place: Place;
}

/** Services that join another become containers of its pod; every other service is a deployment. */
export function assemble(drafts: ReadonlyMap<string, ServiceDraft>, problems: Problems): readonly Assembled[] {
  const members = new Map<string, ServiceDraft[]>();
  for (const [name, draft] of drafts) {
    const host = hostOf(name, drafts, problems);
    if (host === undefined) continue;
    members.set(host, [...(members.get(host) ?? []), draft]);
    if (host !== name) refusePodKeys(draft, host, problems);
  }
  return [...drafts.values()].flatMap(draft => {
    const name = draft.container.name;
    const joined = (members.get(name) ?? []).filter(member => member !== draft);
    return draft.joins === undefined ? [{ spec: specOf(draft, joined), place: draft.place }] : [];
  });
}

function hostOf(name: string, drafts: ReadonlyMap<string, ServiceDraft>, problems: Problems): string | undefined {
  const passed = new Set([name]);
  let current = name;
  for (;;) {
    const draft = drafts.get(current);
    const joins = draft?.joins;
    if (joins === undefined) return current;
    const spot = drafts.get(name)?.joins?.place ?? joins.place;
    if (!drafts.has(joins.service))
      return problems.refuse(spot, `no service is called \`${joins.service}\``, "Join a service of the same file");
    if (passed.has(joins.service))
      return problems.refuse(
        spot,
        `\`${name}\` joins itself through \`${joins.service}\``,
        "Let one service stand alone and the others join it",
      );
    passed.add(joins.service);
    current = joins.service;
  }
}

function refusePodKeys(draft: ServiceDraft, host: string, problems: Problems): void {
  for (const key of draft.podKeys)
    problems.refuse(
      key,
      "this belongs to the whole pod",
      `Move it to the service \`${host}\`, whose pod \`${draft.container.name}\` joins`,
    );
}

function specOf(draft: ServiceDraft, joined: readonly ServiceDraft[]): DeploymentSpec {
  const drafts = [draft, ...joined];
  const replicas = draft.replicas ?? 1;
  // Two copies of a volume's writer, or of a fixed port, must not run at once.
  const alone = drafts.some(
    ({ container }) => container.volumes.length > 0 || container.ports.some(port => port.hostPort !== undefined),
  );
  return {
    name: draft.container.name,
    replicas,
    containers: drafts.map(member => ({ ...member.container })),
    placement: { ...draft.placement },
    restart: { ...draft.restart },
    update: {
      order: draft.update.order ?? (alone ? "stop-first" : "start-first"),
      // 0 is Compose's word for all at once.
      parallelism: draft.update.parallelism === 0 ? Math.max(1, replicas) : draft.update.parallelism,
    },
    stopGraceMs: draft.stopGraceMs,
    source: draft.source,
  };
}
