import { isHere } from "./include.ts";
import type { Named } from "./include.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Entry } from "./spots.ts";
import { readText } from "./values.ts";

/** Which service another one begins with. */
export interface Extends {
  readonly service: string;
  readonly place: Place;
  /** The file it stands in, where that is another one. */
  readonly file: Named | undefined;
}

/** `extends` of a service: a name, or a name and a file. */
export function readExtends({ value, ...key }: Entry, problems: Problems): Extends | undefined {
  let service: string | undefined;
  let [place, file]: [Place, Named | undefined] = [value, undefined];
  if (value.kind !== "map") service = readText(value, problems);
  else {
    readSection(
      value,
      {
        name: "extends",
        keys: {
          service: spot => {
            service = readText(spot, problems);
            place = spot;
          },
          file: spot => {
            const text = readText(spot, problems);
            if (text !== undefined && isHere(text, spot, problems)) file = { text, place: spot };
          },
        },
      },
      problems,
    );
    if (!value.entries.has("service")) problems.refuse(key, "it names no `service`", "Write `service: name`");
  }
  const isLost = file === undefined && value.kind === "map" && value.entries.has("file");
  return service === undefined || isLost ? undefined : { service, place, file };
}
