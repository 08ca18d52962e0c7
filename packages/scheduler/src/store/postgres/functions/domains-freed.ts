/** A domain that nothing routes any more is free. */
export const DOMAINS_FREED = `
CREATE OR REPLACE FUNCTION domains_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM domains d USING removed r
    WHERE d.domain = r.domain AND NOT EXISTS (SELECT FROM deployment_routing x WHERE x.domain = d.domain);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER domains_freed AFTER DELETE ON deployment_routing
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION domains_freed();
CREATE OR REPLACE TRIGGER domains_freed_by_change AFTER UPDATE ON deployment_routing
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION domains_freed();`;
