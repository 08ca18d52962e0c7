import type { ServiceImpl } from "@connectrpc/connect";
import { fromUint64 } from "@skep/api/codec/number.ts";
import { ruleKinds, ruleToProto } from "@skep/api/codec/rule.ts";
import type { RuleService } from "@skep/api/gen/skep/v1/rule_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { judgeDocument, refuseRule, type RuleDocument, type RuleKey, type RuleKind } from "@skep/core/rules/record.ts";
import { changeRequest } from "./caller.ts";
import type { ApiDeps } from "./deps.ts";
import { pageRequest } from "./lookups.ts";

/** Rules and schemas of workspaces. */
export function ruleHandlers({ store, clock, wake }: ApiDeps): ServiceImpl<typeof RuleService> {
  return {
    putRule: async (request, context) => {
      const kind = kindOf(request.kind);
      const document = request.document ?? {};
      const key = { workspaceId: request.workspaceId, kind, reference: accept(kind, document) };
      const by = changeRequest(request, context);
      const record = await store.putRule(key, document, baseOf(request.baseVersion), by, clock.now());
      wake(`workspace ${key.workspaceId}: ${kind} ${key.reference} is at version ${record.version}`);
      return { rule: ruleToProto(record) };
    },
    listRules: async request => {
      const kind = request.kind === 0 ? undefined : kindOf(request.kind);
      const { items, nextToken } = await store.listRules(request.workspaceId, kind, pageRequest(request));
      return { rules: items.map(ruleToProto), nextPageToken: nextToken ?? "" };
    },
    listRuleVersions: async request => {
      const key = keyOf(request);
      const found = await store.listRuleVersions(key);
      if (found.length === 0) throw refuseRule.missing(key);
      return { rules: found.map(ruleToProto) };
    },
    deleteRule: async (request, context) => {
      const key = keyOf(request);
      await store.deleteRule(key, baseOf(request.baseVersion), changeRequest(request, context), clock.now());
      wake(`workspace ${key.workspaceId}: ${key.kind} ${key.reference} is deleted`);
      return {};
    },
  };
}

function kindOf(kind: number): RuleKind {
  return ruleKinds.fromProtoOr(kind, "kind", "rule");
}

function keyOf(request: Omit<RuleKey, "kind"> & { readonly kind: number }): RuleKey {
  const { workspaceId, reference } = request;
  return { workspaceId, reference, kind: kindOf(request.kind) };
}

function baseOf(version: bigint | undefined): number | undefined {
  return version === undefined ? undefined : fromUint64(version, "base_version");
}

/**
 * The name of a document that may be recorded. @throws SkepError `invalid_argument`
 * `RULE_INVALID`.
 */
function accept(kind: RuleKind, document: RuleDocument): string {
  const { reference, issues } = judgeDocument(kind, document);
  const [first] = issues;
  if (first === undefined) return reference;
  const place = (path: string): string => (path === "" ? "document" : `document.${path}`);
  const more = issues.length === 1 ? "" : ` (and ${issues.length - 1} more, in \`issues\`)`;
  const message = `${place(first.path)}: ${first.problem}; ${first.advice}${more}.`;
  throw new SkepError("invalid_argument", "RULE_INVALID", message, {
    issues: issues.map(one => ({ ...one, path: place(one.path) })),
  });
}
