/** The same as core's `isLive`. */
export const IS_LIVE = `
CREATE OR REPLACE FUNCTION is_live(status text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT status NOT IN ('stopped', 'completed', 'failed', 'lost') $$;`;
