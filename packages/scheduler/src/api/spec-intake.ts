import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import type { DeploymentSpec as SpecMessage } from "@skep/api/gen/skep/v1/spec_pb.ts";
import { specFromProto } from "@skep/api/codec/spec.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Issue } from "@skep/core/error.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { fixedPortIssues, type PortRange } from "@skep/core/model/host-ports.ts";
import { validateSpec } from "@skep/core/model/validate.ts";
import { domainIssues } from "@skep/core/routing/reserved-domains.ts";
import { routesFromSpec, withRoutedPorts } from "@skep/core/routing/labels.ts";

/** A spec that may be recorded, with the routes that its labels describe. */
export interface AcceptedSpec {
  readonly spec: DeploymentSpec;
  readonly routes: readonly Route[];
}

/** What the operator lets specs have. */
export interface SpecRules {
  readonly fixedPorts: readonly PortRange[];
  readonly reservedDomains: readonly string[];
  /** What a container gets that says no limits. */
  readonly defaultLimits: Limits;
}

/**
 * Reads a spec as it was sent. @throws SkepError `invalid_argument` `SPEC_INVALID` with everything
 * that is wrong.
 */
export function acceptMessage(tenantId: string, message: SpecMessage | undefined, rules: SpecRules): AcceptedSpec {
  if (message === undefined)
    throw new SkepError("invalid_argument", "SPEC_MISSING", "The request has no `spec`: send what is to be run.");
  return acceptSpec(tenantId, specFromProto(message, "spec", rules.defaultLimits), rules);
}

/** Holds a spec to the rules of core and derives its routes. @throws as `acceptMessage`. */
export function acceptSpec(tenantId: string, given: DeploymentSpec, rules: SpecRules): AcceptedSpec {
  const spec = withRoutedPorts(given);
  const { routes, issues } = routesFromSpec(tenantId, deploymentIdOf(tenantId, spec.name), spec);
  const all: readonly Issue[] = [
    ...validateSpec(spec),
    ...fixedPortIssues(spec, rules.fixedPorts, "SKEP_FIXED_PORTS"),
    ...domainIssues(routes, rules.reservedDomains),
    ...issues,
  ];
  if (all.length === 0) return { spec, routes };
  const [first] = all;
  const more = all.length === 1 ? "" : ` (and ${all.length - 1} more, in \`issues\`)`;
  throw new SkepError("invalid_argument", "SPEC_INVALID", `spec.${first?.path}: ${first?.problem}${more}.`, {
    details: { advice: first?.advice ?? "" },
    issues: all.map(issue => ({ ...issue, path: `spec.${issue.path}` })),
  });
}
