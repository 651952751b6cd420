-- Who is hidden is asked by each statement of a screen, several times over. What it costs was mostly planning: with a
-- handful of hidden reports a plan for just these looks cheaper than one for any, so it was made anew at each call.

ALTER FUNCTION visit_hidden() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION visit_hidden_persons() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION visit_hidden_cases() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION visit_unknown_persons() SET plan_cache_mode = force_generic_plan;

-- Only a question about a link asks for persons; a queue mostly has none.
CREATE OR REPLACE FUNCTION blind_tasks(tasks uuid[]) RETURNS TABLE (task_id uuid, contact text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    me visit := visit();
    hidden uuid[];
    persons uuid[];
BEGIN
    IF me.staff_id IS NULL THEN
        RETURN;
    END IF;
    hidden := ARRAY(SELECT visit_hidden());
    IF EXISTS (SELECT FROM task t WHERE t.id = ANY (tasks) AND t.kind = 'review_link') THEN
        persons := ARRAY(SELECT visit_unknown_persons());
    END IF;
    RETURN QUERY
    SELECT t.id, blind_contact(t.report_id, l.id)
    FROM task t LEFT JOIN link l ON t.kind = 'review_link' AND l.id = t.subject_id
    WHERE t.id = ANY (tasks) AND t.region_id = me.region_id
        AND (t.report_id = ANY (hidden) OR l.person_id = ANY (persons));
END $$;

-- A page of a report asked for the number of all open tasks of the region too, and threw it away.
CREATE FUNCTION live_of_tasks(region uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT hashtextextended(concat_ws('.', count(*), sum(t.xmin::text::bigint)), 0) & 9007199254740991
    FROM task t WHERE t.region_id = region AND t.done_at IS NULL
$$;
CREATE FUNCTION live_of_reports(region uuid, reports uuid[]) RETURNS TABLE (subject uuid, number bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.id, hashtextextended(concat_ws('.', r.xmin::text,
        (SELECT concat_ws('.', count(*), sum(t.xmin::text::bigint)) FROM task t WHERE t.report_id = r.id),
        (SELECT concat_ws('.', count(*), sum(l.xmin::text::bigint)) FROM mention m JOIN link l ON l.mention_id = m.id
         WHERE m.report_id = r.id)), 0) & 9007199254740991
    FROM report r WHERE r.id = ANY (reports) AND r.region_id = region
$$;
CREATE OR REPLACE FUNCTION live_numbers(region uuid, reports uuid[]) RETURNS TABLE (subject uuid, number bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NULL::uuid, live_of_tasks(region)
    UNION ALL
    SELECT r.subject, r.number FROM live_of_reports(region, reports) r
$$;
CREATE OR REPLACE FUNCTION live_number(report uuid) RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF report IS NULL THEN
        RETURN live_of_tasks(visit_region());
    END IF;
    RETURN (SELECT r.number FROM live_of_reports(visit_region(), ARRAY[report]) r);
END $$;
REVOKE EXECUTE ON FUNCTION live_of_tasks, live_of_reports FROM PUBLIC;

-- Setting a restriction looked at the work on every restricted report there is; now at that on its own, and at the
-- questions about those that its reports name.
CREATE FUNCTION restriction_work(of_restriction uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one uuid;
BEGIN
    FOR one IN
        WITH its AS (SELECT h.report_id FROM restricted_report h WHERE h.restriction_id = of_restriction), named AS (
            SELECT x.person_id FROM restriction x WHERE x.id = of_restriction
            UNION SELECT k.person_id FROM its JOIN mention n ON n.report_id = its.report_id
                JOIN link k ON k.mention_id = n.id AND k.state IN ('new', 'automatic', 'confirmed')
        )
        SELECT report_id FROM its
        UNION SELECT m.report_id FROM named p JOIN link l ON l.person_id = p.person_id AND l.state = 'proposed'
            JOIN mention m ON m.id = l.mention_id
        ORDER BY 1
    LOOP
        PERFORM restricted_work(one, 10000);
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION restriction_work FROM PUBLIC;
CREATE OR REPLACE FUNCTION restriction_settles() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.lifted_at IS NOT NULL THEN
        DELETE FROM restricted_report WHERE restriction_id = NEW.id;
    ELSE
        INSERT INTO restricted_report (report_id, restriction_id, region_id)
        SELECT report_id, restriction_id, region_id FROM restricted_now WHERE restriction_id = NEW.id
        ON CONFLICT DO NOTHING;
        PERFORM restriction_work(NEW.id);
    END IF;
    RETURN NULL;
END $$;
