/**
 * A deployment goes on where its name's last holder ended, and its numbers are kept beyond its end,
 * for every writer. Ids of instances are made of them, and agents fence by ids.
 */
export const SERIALS = `
CREATE OR REPLACE FUNCTION serials_go_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.next_serial := greatest(NEW.next_serial, (SELECT next FROM serials WHERE deployment_id = NEW.id),
    (SELECT serial_floor FROM platform WHERE NOT EXISTS (SELECT FROM serials WHERE deployment_id = NEW.id)));
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
