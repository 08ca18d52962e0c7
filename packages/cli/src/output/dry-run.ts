import type { TriedStep } from "@skep/core/rules/dry-run.ts";
import type { Action } from "@skep/core/rules/rule.ts";
import { renderTable } from "./table.ts";
import type { View } from "./view.ts";
import { count } from "./words.ts";

/** What messages would lead to: a line for each effect and for each that would be set aside. */
export function renderSteps({ io }: View, steps: readonly TriedStep[]): string {
  const rows = steps.flatMap(step => {
    const head = [String(step.index + 1), new Date(step.at).toISOString(), step.deviceId];
    if (step.problem !== "") return [[...head, "-", "set aside", step.problem]];
    return step.effects.map(({ ruleId, because, action }) => [
      ...head,
      ruleId,
      `${because}${step.isSilence ? ", silent" : ""}`,
      actionWords(action),
    ]);
  });
  const messages = steps.filter(step => !step.isSilence);
  const aside = messages.filter(step => step.problem !== "").length;
  const effects = steps.reduce((sum, step) => sum + step.effects.length, 0);
  const unread = messages.filter(step => step.isUnread).length;
  const unseen = unread === 0 ? "" : `${unread} read by no schema, whose fields no condition sees; `;
  const summary = `${count(messages.length, "message")}, ${count(effects, "effect")}, ${aside} set aside; ${unseen}nothing was done\n`;
  if (rows.length === 0) return summary;
  const columns = ["MESSAGE", "AT", "DEVICE", "RULE", "BECAUSE", "WHAT"].map(heading => ({ heading }));
  return `${renderTable(columns, rows, io.isTty ? io.width : undefined)}\n${summary}`;
}

function actionWords(action: Action): string {
  switch (action.kind) {
    case "store":
      return `store in ${action.collection}`;
    case "event":
      return `event ${action.topic}`;
    case "webhook":
      return `webhook ${action.target}`;
    case "command":
      return `command ${action.type}${action.deviceId === undefined ? "" : ` to ${action.deviceId}`}`;
  }
}
