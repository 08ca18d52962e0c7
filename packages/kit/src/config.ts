import { readFileSync } from "node:fs";
import type { z } from "zod";

/** The environment as a process gets it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * One setting: the variable it comes from, its shape (with the default in it), and what it is for.
 */
export interface Setting<T> {
  readonly variable: string;
  readonly schema: z.ZodType<T>;
  readonly about: string;
  /** Blanked when the configuration is shown. */
  readonly secret: boolean;
}

/** What a set of settings becomes. */
export type ConfigOf<S> = { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never };

/** A setting from `variable`, or from the file that `<variable>_FILE` names (a Swarm secret). */
export function setting<T>(variable: string, schema: z.ZodType<T>, about: string): Setting<T> {
  return { variable, schema, about, secret: false };
}

/** A setting that is never shown. */
export function secret<T>(variable: string, schema: z.ZodType<T>, about: string): Setting<T> {
  return { variable, schema, about, secret: true };
}

/** Everything that is wrong with a configuration, one line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`The configuration has ${count}:\n${problems.map(problem => `  ${problem}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * Reads every setting, checks all of them, and freezes the result. An empty variable counts as
 * absent.
 * @throws ConfigError that names every problem at once.
 */
export function loadConfig<S extends Readonly<Record<string, Setting<unknown>>>>(
  settings: S,
  environment: Environment = process.env,
): ConfigOf<S> {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(settings)) {
    const text = readText(one, environment, problems);
    if (text.kind === "unreadable") continue;
    const parsed = one.schema.safeParse(text.value);
    if (parsed.success) config[name] = parsed.data;
    else for (const issue of parsed.error.issues) problems.push(describe(one, text.value, issue.message));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as ConfigOf<S>;
}

/** The configuration for the log: by variable, secrets blanked. */
export function showConfig<S extends Readonly<Record<string, Setting<unknown>>>>(
  settings: S,
  config: ConfigOf<S>,
): Readonly<Record<string, unknown>> {
  const shown = Object.entries(settings).map(([name, one]) => {
    const value = config[name as keyof S] as unknown;
    return [one.variable, one.secret && value !== undefined ? "***" : value] as const;
  });
  return Object.fromEntries(shown);
}

type Text = { readonly kind: "text"; readonly value: string | undefined } | { readonly kind: "unreadable" };

function readText(one: Setting<unknown>, environment: Environment, problems: string[]): Text {
  const direct = environment[one.variable] || undefined;
  const file = environment[`${one.variable}_FILE`] || undefined;
  if (file === undefined) return { kind: "text", value: direct };
  if (direct !== undefined) {
    problems.push(`${one.variable} and ${one.variable}_FILE are both set: keep one of them.`);
    return { kind: "unreadable" };
  }
  try {
    return { kind: "text", value: readFileSync(file, "utf8").replace(/\r?\n$/, "") || undefined };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.push(`${one.variable}_FILE names ${file}, which cannot be read (${why}): mount the secret there.`);
    return { kind: "unreadable" };
  }
}

function describe(one: Setting<unknown>, value: string | undefined, problem: string): string {
  if (value === undefined) return `${one.variable} is not set (${one.about}): set it, or ${one.variable}_FILE.`;
  const shown = one.secret ? "a value" : JSON.stringify(value);
  return `${one.variable} is ${shown}, which is not right (${one.about}): ${problem}.`;
}
