-- The number of the queue came from every open task of the region, at each page and every look: at ten thousand open
-- tasks that cost more than the page. Now each change of a task takes the next number, and the newest hundred tell.

CREATE SEQUENCE task_change;
ALTER TABLE task ADD COLUMN change bigint;
UPDATE task SET change = nextval('task_change');
CREATE FUNCTION task_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.change := nextval('task_change');
    RETURN NEW;
END $$;
CREATE TRIGGER task_changes BEFORE INSERT OR UPDATE ON task FOR EACH ROW EXECUTE FUNCTION task_changes();
ALTER TABLE task ALTER COLUMN change SET NOT NULL;
COMMENT ON COLUMN task.change IS 'rises with each change of the row: tells open pages that the queue is another one';
CREATE INDEX task_newest ON task (region_id, change);

-- Not the highest only: who took a number first may commit last, and is among the newest still.
CREATE OR REPLACE FUNCTION live_of_tasks(region uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT hashtextextended(coalesce(string_agg(t.change::text, '.'), ''), 0) & 9007199254740991
    FROM (SELECT change FROM task WHERE region_id = region ORDER BY change DESC LIMIT 100) t
$$;
