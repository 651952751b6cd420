-- Whether a case is hidden was asked of all hidden reports at once, for each statement that reads one case: with three
-- hundred hidden reports that cost more than the rest of the page. Now it is asked of the reports of that case.

CREATE FUNCTION case_is_empty(of_case uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT NOT EXISTS (SELECT FROM report WHERE case_id = of_case)';
COMMENT ON FUNCTION case_is_empty IS 'no report rests in it: it is being opened now, or its last report went elsewhere';

DROP POLICY hidden_case ON cases;
DROP POLICY hidden_case ON safety_watch;
DROP FUNCTION visit_hidden_cases;
-- `report` shows its own rows only; what has a report and shows none is hidden.
CREATE POLICY hidden_case ON cases AS RESTRICTIVE FOR SELECT TO veilig_web
    USING ((SELECT visit_staff()) IS NULL OR EXISTS (SELECT FROM report r WHERE r.case_id = cases.id)
        OR case_is_empty(id));
CREATE POLICY hidden_case ON safety_watch AS RESTRICTIVE FOR SELECT TO veilig_web
    USING ((SELECT visit_staff()) IS NULL OR EXISTS (SELECT FROM report r WHERE r.case_id = safety_watch.case_id)
        OR case_is_empty(case_id));

-- The same persons as before; compared by a hash instead of one by one with each hidden report.
CREATE OR REPLACE FUNCTION visit_unknown_persons() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = public, pg_temp
    SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT visit_hidden_persons();
    RETURN QUERY
    WITH hidden AS MATERIALIZED (SELECT h.id FROM visit_hidden() AS h (id)), named AS MATERIALIZED (
        SELECT DISTINCT l.person_id FROM hidden JOIN mention m ON m.report_id = hidden.id
        JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')
    )
    SELECT p.person_id FROM named p WHERE NOT EXISTS (
        SELECT FROM link k JOIN mention n ON n.id = k.mention_id WHERE k.person_id = p.person_id
            AND k.state IN ('new', 'automatic', 'confirmed') AND n.report_id NOT IN (SELECT id FROM hidden));
END $$;
