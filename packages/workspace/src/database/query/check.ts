import type { Issue } from "@skep/core/error.ts";
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from "mongodb";
import { EXPRESSIONS, FIELD_TESTS, FILTER_JOINS, STAGES, VARIABLES } from "./allowed.ts";

const MOST_STAGES = 20;
const MOST_PARTS = 2_000;
const DEEPEST = 20;
const LONGEST_PATTERN = 200;

/** What is wrong with a filter: which part, and where. Empty for one that may run. */
export function filterIssues(filter: unknown, path = "filter"): readonly Issue[] {
  const judge = new Judge();
  judge.filter(filter, path, 0);
  return judge.issues;
}

/** The same for a pipeline. */
export function pipelineIssues(pipeline: unknown, path = "pipeline"): readonly Issue[] {
  const judge = new Judge();
  judge.pipeline(pipeline, path, 0);
  return judge.issues;
}

/** Walks through a query and keeps what it refuses; the first refusals are enough. */
class Judge {
  readonly issues: Issue[] = [];
  #parts = 0;

  refuse(path: string, problem: string, advice: string): void {
    if (this.issues.length < 20) this.issues.push({ path, problem, advice });
  }

  pipeline(pipeline: unknown, path: string, depth: number): void {
    if (!Array.isArray(pipeline)) return this.refuse(path, "it is no list", "give a list of stages");
    if (pipeline.length > MOST_STAGES)
      return this.refuse(path, `it has ${pipeline.length} stages`, `use at most ${MOST_STAGES}`);
    pipeline.forEach((stage: unknown, index) => this.#stage(stage, `${path}[${index}]`, depth + 1));
  }

  filter(filter: unknown, path: string, depth: number): void {
    if (!this.#enter(path, depth)) return;
    if (!isPlain(filter))
      return this.refuse(path, "it is no object", 'use fields and values, such as {"deviceId": "d1"}');
    for (const [key, value] of Object.entries(filter)) {
      const at = `${path}.${key}`;
      if (key === "$expr") this.expression(value, at, depth + 1);
      else if (FILTER_JOINS.has(key)) this.#filters(value, at, depth + 1);
      else if (key.startsWith("$")) this.#refuseOperator(at, key, [...FILTER_JOINS, "$expr"]);
      else this.#test(value, at, depth + 1);
    }
  }

  expression(value: unknown, path: string, depth: number): void {
    if (!this.#enter(path, depth)) return;
    if (typeof value === "string" && value.startsWith("$$")) {
      const name = /^\$\$[^.]*/.exec(value)?.[0] ?? value;
      if (!VARIABLES.has(name))
        this.refuse(path, `the variable ${name} may not be read`, `use ${[...VARIABLES].join(", ")}`);
      return;
    }
    if (Array.isArray(value))
      return value.forEach((one, index) => this.expression(one, `${path}[${index}]`, depth + 1));
    if (!isPlain(value)) return this.#value(value, path);
    for (const [key, inner] of Object.entries(value)) {
      const at = `${path}.${key}`;
      if (key === "$literal") this.#data(inner, at, depth + 1);
      else if (key.startsWith("$") && !EXPRESSIONS.has(key)) this.#refuseOperator(at, key, EXPRESSIONS);
      else this.expression(inner, at, depth + 1);
    }
  }

  #stage(stage: unknown, path: string, depth: number): void {
    if (!this.#enter(path, depth)) return;
    const entries = isPlain(stage) ? Object.entries(stage) : [];
    const [entry] = entries;
    if (entry === undefined || entries.length !== 1)
      return this.refuse(path, "it is no stage", 'a stage is an object with one key, such as {"$match": {...}}');
    const [name, argument] = entry;
    const at = `${path}.${name}`;
    switch (STAGES.get(name)) {
      case undefined:
        return this.refuse(at, `the stage ${name.slice(0, 40)} is not allowed`, `use ${[...STAGES.keys()].join(", ")}`);
      case "filter":
        return this.filter(argument, at, depth + 1);
      case "expression":
        return this.expression(argument, at, depth + 1);
      case "sort":
        return this.#sort(argument, at);
      case "count":
        if (!Number.isSafeInteger(argument) || Number(argument) < 0)
          this.refuse(at, "it is no count", "use a whole number");
        return;
      case "name":
        if (typeof argument !== "string" || argument === "" || /[$.\0]/.test(argument))
          this.refuse(at, "it is no name", "use letters and digits");
        return;
      case "pipelines":
        return this.#facets(argument, at, depth + 1);
    }
  }

  #facets(facets: unknown, path: string, depth: number): void {
    if (!isPlain(facets)) return this.refuse(path, "it is no object", "name pipelines");
    // One inside another would multiply what runs.
    if (depth > 3) return this.refuse(path, "it is inside another one", "use one $facet");
    for (const [name, pipeline] of Object.entries(facets)) this.pipeline(pipeline, `${path}.${name}`, depth + 1);
  }

  #sort(sort: unknown, path: string): void {
    const values = isPlain(sort) ? Object.values(sort) : [];
    if (values.length === 0 || values.some(value => value !== 1 && value !== -1))
      this.refuse(path, "it is no order", "give each field 1 or -1");
  }

  #filters(filters: unknown, path: string, depth: number): void {
    if (!Array.isArray(filters) || filters.length === 0)
      return this.refuse(path, "it is no list of filters", "give a list with one filter at least");
    filters.forEach((filter: unknown, index) => this.filter(filter, `${path}[${index}]`, depth + 1));
  }

  /** A value that a field is compared with, or an object of tests. */
  #test(value: unknown, path: string, depth: number): void {
    if (!isPlain(value) || !Object.keys(value).some(key => key.startsWith("$"))) return this.#data(value, path, depth);
    if (!this.#enter(path, depth)) return;
    for (const [key, inner] of Object.entries(value)) {
      const at = `${path}.${key}`;
      if (!FIELD_TESTS.has(key)) this.#refuseOperator(at, key, FIELD_TESTS);
      else if (key === "$not") this.#test(inner, at, depth + 1);
      else if (key === "$regex" || key === "$options") this.#pattern(key, inner, at);
      else if (key === "$elemMatch") this.#elemMatch(inner, at, depth + 1);
      else this.#data(inner, at, depth + 1);
    }
  }

  #elemMatch(value: unknown, path: string, depth: number): void {
    const isOfTests = isPlain(value) && Object.keys(value).some(key => FIELD_TESTS.has(key));
    if (isOfTests) this.#test(value, path, depth);
    else this.filter(value, path, depth);
  }

  #pattern(key: string, value: unknown, path: string): void {
    const isGood =
      typeof value === "string" && (key === "$options" ? /^[imsx]{0,4}$/.test(value) : value.length <= LONGEST_PATTERN);
    const advice =
      key === "$options" ? "use some of i, m, s, x" : `use a text of at most ${LONGEST_PATTERN} characters`;
    if (!isGood) this.refuse(path, "it is no pattern that may run", advice);
  }

  /** Plain data: no operator anywhere in it. */
  #data(value: unknown, path: string, depth: number): void {
    if (!this.#enter(path, depth)) return;
    if (Array.isArray(value)) return value.forEach((one, index) => this.#data(one, `${path}[${index}]`, depth + 1));
    if (!isPlain(value)) return this.#value(value, path);
    for (const [key, inner] of Object.entries(value)) {
      const at = `${path}.${key}`;
      if (key.startsWith("$")) this.#refuseOperator(at, key, []);
      else this.#data(inner, at, depth + 1);
    }
  }

  /** Code, patterns and references come in forms of their own: only plain values may stand here. */
  #value(value: unknown, path: string): void {
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) return;
    const isGood = VALUES.some(type => value instanceof type);
    if (!isGood) this.refuse(path, "its kind of value is not allowed", "use text, numbers, truth values, dates, lists");
  }

  #refuseOperator(path: string, key: string, allowed: Iterable<string>): void {
    const names = [...allowed];
    const advice =
      names.length === 0 ? "leave it out: plain values stand here" : `use ${names.slice(0, 40).join(", ")}`;
    this.refuse(path, `${key.slice(0, 40)} is not allowed here`, advice);
  }

  /** Bounds how deep and how large a query is, before the server has to find out. */
  #enter(path: string, depth: number): boolean {
    this.#parts += 1;
    if (this.#parts === MOST_PARTS + 1)
      this.refuse(path, `the query has more than ${MOST_PARTS} parts`, "ask for less at once");
    if (this.#parts > MOST_PARTS) return false;
    if (depth <= DEEPEST) return true;
    this.refuse(path, `it is more than ${DEEPEST} levels deep`, "nest less");
    return false;
  }
}

const VALUES = [Date, Binary, Decimal128, Double, Int32, Long, ObjectId] as const;

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
