-- A report with new work whose case was closed goes on in another case. What is in force on it goes along, also what
-- the member who does this may not see.

CREATE FUNCTION signals_follow(of_report uuid, moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    now_in uuid := (SELECT r.case_id FROM report r WHERE r.id = of_report);
    old signal;
BEGIN
    FOR old IN SELECT s.* FROM signal s WHERE s.report_id = of_report AND s.withdrawn_at IS NULL
        AND s.case_id IS DISTINCT FROM now_in LOOP
        UPDATE signal SET withdrawn_at = moment, withdrawn_by = 'system', withdrawn_why =
            'De melding ging verder in een andere casus: het signaal geldt nog, en staat nu bij die casus.'
        WHERE id = old.id;
        INSERT INTO signal (id, region_id, household_id, case_id, report_id, rule, title, rule_set, fired_on,
            explanation, evidence, noted_at)
        VALUES (gen_random_uuid(), old.region_id, old.household_id, now_in, old.report_id, old.rule, old.title,
            old.rule_set, old.fired_on, old.explanation, old.evidence, moment);
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION signals_follow FROM PUBLIC;
GRANT EXECUTE ON FUNCTION signals_follow TO veilig_web, veilig_worker;
COMMENT ON FUNCTION signals_follow IS
    'puts what is in force on a report at the case that the report is in; it tells nothing and changes nothing else';
