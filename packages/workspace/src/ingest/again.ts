import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { parseTopic } from "@skep/core/workspace/topic.ts";
import type { DeadLetter } from "../message.ts";
import type { PipelinePorts } from "./pipeline.ts";

/** What a letter passes through. */
export type AgainPorts = Pick<PipelinePorts, "rules" | "database" | "events" | "clock" | "stored">;

/**
 * Has a dead letter typed and judged by the rules of now, and stored under the key that it has: a
 * second time changes nothing. It is done here and not by the broker, which lets no host publish
 * what devices do.
 * @throws SkepError `failed_precondition` `LETTER_DEAD` where it is dead still.
 */
export async function again(ports: AgainPorts, workspaceId: WorkspaceId, letter: DeadLetter): Promise<void> {
  const { rules, database, events, clock, stored } = ports;
  const topic = parseTopic(letter.topic);
  if (topic?.workspaceId !== workspaceId) throw dead(letter, "its topic is none of a device of this workspace");
  const { _id: key, payload, receivedAt } = letter;
  const message = { key, topic, payload, receivedAt: receivedAt.getTime() };
  const processed = rules.process([message], clock.now());
  const [refused] = processed.dead;
  if (refused !== undefined) throw dead(letter, refused.because);
  await database.store(processed.documents);
  events.emit(processed.events);
  stored?.(processed.documents);
  void rules.act(processed.effects);
}

function dead({ _id }: DeadLetter, because: string): SkepError {
  const says = `Dead letter ${_id.slice(0, 100)} stays one: ${because}. Put a schema that reads it, or forget it.`;
  return new SkepError("failed_precondition", "LETTER_DEAD", says);
}
