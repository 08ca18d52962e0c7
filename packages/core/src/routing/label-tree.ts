import type { Issue } from "../error.ts";
import type { Labels } from "../model/labels.ts";

/** Labels below one name: dotted key to value. */
export type Named = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** A container's Traefik labels of one kind, by section and name. */
export interface LabelSections {
  readonly routers: Named;
  readonly services: Named;
  readonly middlewares: Named;
}

/** What a container's labels say to Traefik. */
export interface LabelTree {
  /** `traefik.enable`, where it is said. */
  readonly enabled: boolean | undefined;
  readonly http: LabelSections;
  readonly tcp: LabelSections;
  readonly issues: readonly Issue[];
}

// Labels that tell Traefik's own Docker and Swarm providers how to reach a container. They have no
// meaning here, because the edge reaches every instance by its node's address and host port, and so
// they do no harm either.
const IGNORED = /^traefik\.(docker|swarm)\.|^traefik\.constraint-label$/i;

// Traefik reads its configuration as YAML, where such characters make the whole of it, every
// tenant's, unreadable; the double bar is what Traefik joins lists with inside.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff\u2551]/u;

const SECTIONS = ["routers", "services", "middlewares"] as const;

/**
 * Sorts a container's labels by kind, section and name. Labels of others (not `traefik.`) are left
 * alone.
 */
export function readLabels(labels: Labels, path: string): LabelTree {
  const issues: Issue[] = [];
  const kinds = { http: emptySections(), tcp: emptySections() };
  let enabled: boolean | undefined;
  for (const [label, value] of Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!/^traefik\./i.test(label) || IGNORED.test(label)) continue;
    const at = `${path}.labels["${label.slice(0, 200)}"]`;
    const [, kind = "", section = "", name = "", ...rest] = label.split(".");
    const of = kind.toLowerCase();
    const sections = of === "http" || of === "tcp" ? kinds[of] : undefined;
    const within = SECTIONS.find(one => one === section.toLowerCase());
    if (UNPRINTABLE.test(label) || UNPRINTABLE.test(value)) {
      issues.push({
        path: at,
        problem: "the label holds a character that cannot be printed",
        advice: "remove control characters and line ends",
      });
    } else if (kind.toLowerCase() === "enable" && section === "") {
      if (/^(true|false)$/i.test(value.trim())) enabled = value.trim().toLowerCase() === "true";
      else
        issues.push({
          path: at,
          problem: `"${value.slice(0, 60)}" is neither true nor false`,
          advice: "write true or false",
        });
    } else if (kind.toLowerCase() === "udp") {
      issues.push({
        path: at,
        problem: "the edge routes no UDP",
        advice: "publish the port and use the node's address",
      });
    } else if (sections === undefined || within === undefined) {
      issues.push({
        path: at,
        problem: `the label "${label.slice(0, 200)}" is not known`,
        advice:
          "labels begin with traefik.enable, traefik.http.{routers,services,middlewares}. or traefik.tcp.{routers,services,middlewares}.",
      });
    } else if (!/^[A-Za-z0-9_-]{1,100}$/.test(name)) {
      issues.push({
        path: at,
        problem: `"${name.slice(0, 60)}" is no name for one of the ${within}`,
        advice: "use letters, digits, _ and -",
      });
    } else if (rest.length === 0) {
      issues.push({
        path: at,
        problem: `the label "${label.slice(0, 200)}" says nothing of "${name}"`,
        advice: `write traefik.${kind}.${within}.${name}.<option>`,
      });
    } else {
      const named = sections[within];
      const options = named.get(name) ?? new Map<string, string>();
      named.set(name, options.set(rest.join("."), value));
    }
  }
  return { enabled, ...kinds, issues };
}

function emptySections(): { [K in keyof LabelSections]: Map<string, Map<string, string>> } {
  return { routers: new Map(), services: new Map(), middlewares: new Map() };
}
