import { SERIAL_GAP, SERIALS_BELIEVED } from "@skep/core/identity/serials.ts";

/**
 * A deployment goes on where its name's last holder ended, and its numbers are kept beyond its end,
 * for every writer. Ids of instances are made of them, and agents fence by ids.
 *
 * `serials_skip` is core's `skipBeyond`; it answers the next number where that changed. What stands
 * in `orphans` and `removals` of a name that is made only now is still on its node; for names that
 * have their numbers `saveOrphans` did it.
 */
export const SERIALS = `
CREATE OR REPLACE FUNCTION serials_skip(name text, highest integer) RETURNS integer LANGUAGE sql AS $$
  UPDATE serials s SET next = highest + 1 + ${SERIAL_GAP},
      skipped = s.skipped + int4multirange(int4range(s.next, highest + 1 + ${SERIAL_GAP}))
    WHERE s.deployment_id = name AND s.next <= highest RETURNING next
$$;
CREATE OR REPLACE FUNCTION serials_go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO serials (deployment_id, next, gap_from, gap_to)
    SELECT NEW.id, greatest(1, f.floor), CASE WHEN f.floor > 1 THEN 1 END, CASE WHEN f.floor > 1 THEN f.floor END
    FROM (SELECT (SELECT serial_floor FROM platform) AS floor) f
    ON CONFLICT DO NOTHING;
  PERFORM serials_skip(NEW.id, max(n.number)) FROM (
    SELECT CASE WHEN w.word ~ '^[1-9][0-9]{0,8}$' THEN w.word::integer END AS number FROM (
      SELECT substr(o.instance_id, length(NEW.id) + 2) AS word FROM (
        SELECT instance_id FROM orphans UNION ALL SELECT instance_id FROM removals) o
      WHERE starts_with(o.instance_id, NEW.id || '.')) w) n
    WHERE n.number < ${SERIALS_BELIEVED};
  NEW.next_serial := greatest(NEW.next_serial, (SELECT next FROM serials WHERE deployment_id = NEW.id));
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER serials_go_on BEFORE INSERT ON deployments
  FOR EACH ROW EXECUTE FUNCTION serials_go_on();
CREATE OR REPLACE FUNCTION serials_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO serials AS s (deployment_id, next) VALUES (NEW.id, NEW.next_serial)
    ON CONFLICT (deployment_id) DO UPDATE SET next = greatest(s.next, excluded.next);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER serials_kept AFTER INSERT OR UPDATE OF next_serial ON deployments
  FOR EACH ROW EXECUTE FUNCTION serials_kept();`;
