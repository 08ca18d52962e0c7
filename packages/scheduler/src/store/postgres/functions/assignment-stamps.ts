import { STAMPS_KEPT } from "@skep/core/identity/assignment-line.ts";

/**
 * Each raise of a node's revision draws a stamp, whoever raises it, a person with SQL too. A copy
 * of the records that was put back counts up to the same numbers with other stamps. The commit of
 * a plan brings its own (`skep.stamp`), because its leader tells the nodes without reading them
 * again.
 */
export const ASSIGNMENT_STAMPS = `
CREATE OR REPLACE FUNCTION assignment_stamped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A number that does not follow on the one before says nothing of earlier ones.
  IF NEW.assignment_revision <> OLD.assignment_revision + 1 THEN NEW.assignment_stamps := '{}'; END IF;
  NEW.assignment_stamps := NEW.assignment_stamps
    || coalesce(nullif(current_setting('skep.stamp', true), '')::integer, 1 + floor(random() * 2147483646)::integer);
  NEW.assignment_stamps :=
    NEW.assignment_stamps[greatest(1, cardinality(NEW.assignment_stamps) - ${STAMPS_KEPT - 1}):];
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER assignment_stamped BEFORE UPDATE OF assignment_revision ON node_metadata
  FOR EACH ROW WHEN (NEW.assignment_revision <> OLD.assignment_revision) EXECUTE FUNCTION assignment_stamped();`;
