-- The audit trail says who (by the live session, not by the caller's word), in which role, why, from where, on whose
-- data. Lines of before keep their form (line = 1) and their hash.

-- What kind of event each action is; filled from core/data/events.toml by every migration.
CREATE TABLE audit_action (
    action text PRIMARY KEY,
    event char(1) NOT NULL CHECK (event IN ('C', 'R', 'U', 'D', 'E'))
);

ALTER TABLE audit_entry
    ADD COLUMN line smallint NOT NULL DEFAULT 1,
    ADD COLUMN event char(1),
    ADD COLUMN staff_id uuid,
    ADD COLUMN role text,
    ADD COLUMN purpose text,
    ADD COLUMN origin text,
    ADD COLUMN request text,
    ADD COLUMN report_id uuid,
    ADD COLUMN case_id uuid,
    ADD COLUMN persons uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN software text;
COMMENT ON COLUMN audit_entry.line IS 'the form of this line: 1 = without the columns after hash, 2 = with';
COMMENT ON COLUMN audit_entry.staff_id IS 'who acted, by his live session; actor is what the code called him';
COMMENT ON COLUMN audit_entry.report_id IS 'the report that the object belongs to, where it is not the object';
COMMENT ON COLUMN audit_entry.case_id IS 'the case of that report at this moment, where it is not the object';
COMMENT ON COLUMN audit_entry.persons IS
    'whose data, beside the persons of the report or case: ids of persons, mentions, or reports shown in a list';

CREATE INDEX audit_entry_report ON audit_entry (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX audit_entry_persons ON audit_entry USING gin (persons) WITH (gin_pending_list_limit = 256)
    WHERE persons <> '{}';
CREATE INDEX audit_entry_staff ON audit_entry (staff_id, at) WHERE staff_id IS NOT NULL;
CREATE INDEX audit_entry_actor ON audit_entry (actor, at) WHERE actor <> 'system' AND actor NOT LIKE 'sender:%';
CREATE INDEX audit_entry_origin ON audit_entry (origin, at) WHERE origin IS NOT NULL;
CREATE INDEX audit_entry_at ON audit_entry (region_id, at);

DROP FUNCTION audit_append(uuid, text, text, text, uuid, jsonb, text);
CREATE FUNCTION audit_append(
    region uuid, actor text, action text, object_kind text, object_id uuid, details jsonb, outcome text DEFAULT 'ok',
    persons uuid[] DEFAULT '{}'
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    strand smallint := pg_backend_pid() % 16;
    moment timestamptz := clock_timestamp();
    head audit_head;
    me visit;
    event char(1) := coalesce((SELECT a.event FROM audit_action a WHERE a.action = audit_append.action), 'E');
    why text := nullif(current_setting('veilig.purpose', true), '');
    place text := nullif(current_setting('veilig.origin', true), '');
    request text := nullif(current_setting('veilig.request', true), '');
    software text := nullif(current_setting('veilig.software', true), '');
    whose uuid[] := coalesce(persons, '{}');
    in_report uuid;
    in_case uuid;
    other uuid;
    more uuid[];
BEGIN
    IF coalesce(current_setting('veilig.key', true), '') <> '' THEN
        me := visit();
    END IF;
    CASE object_kind
        WHEN 'report' THEN NULL;
        WHEN 'mention' THEN SELECT m.report_id INTO in_report FROM mention m WHERE m.id = object_id;
        WHEN 'link' THEN
            SELECT m.report_id, l.person_id INTO in_report, other
            FROM link l JOIN mention m ON m.id = l.mention_id WHERE l.id = object_id;
        WHEN 'handover' THEN SELECT h.report_id INTO in_report FROM handover h WHERE h.id = object_id;
        WHEN 'letter' THEN SELECT l.report_id INTO in_report FROM letter l WHERE l.id = object_id;
        WHEN 'service' THEN SELECT s.report_id INTO in_report FROM service s WHERE s.id = object_id;
        WHEN 'contact' THEN SELECT c.report_id INTO in_report FROM contact c WHERE c.id = object_id;
        WHEN 'condition' THEN SELECT c.report_id INTO in_report FROM safety_condition c WHERE c.id = object_id;
        WHEN 'feedback' THEN SELECT f.report_id INTO in_report FROM feedback f WHERE f.id = object_id;
        WHEN 'person_request' THEN SELECT p.report_id INTO in_report FROM person_request p WHERE p.id = object_id;
        WHEN 'message' THEN SELECT r.id INTO in_report FROM report r WHERE r.message_id = object_id;
        WHEN 'quality_sample' THEN
            SELECT m.report_id, q.person_id INTO in_report, other
            FROM quality_sample q LEFT JOIN mention m ON m.id = q.mention_id WHERE q.id = object_id;
        WHEN 'access_grant', 'grant' THEN
            SELECT g.report_id, g.person_id INTO in_report, other FROM access_grant g WHERE g.id = object_id;
        -- Kinds of later migrations: their tables are there when their first line is written.
        WHEN 'search' THEN SELECT s.report_id INTO in_report FROM search s WHERE s.id = object_id;
        WHEN 'outgoing' THEN SELECT o.report_id INTO in_report FROM outgoing o WHERE o.id = object_id;
        WHEN 'destruction_order' THEN
            SELECT o.report_id, o.mentions INTO in_report, more FROM destruction_order o WHERE o.id = object_id;
            whose := whose || coalesce(more, '{}');
        WHEN 'restriction' THEN
            SELECT x.person_id INTO other FROM restriction x WHERE x.id = object_id;
        WHEN 'exclusion' THEN
            SELECT x.person_id INTO other FROM exclusion x WHERE x.id = object_id;
        WHEN 'task' THEN SELECT t.report_id INTO in_report FROM task t WHERE t.id = object_id;
        WHEN 'deadline' THEN
            SELECT r.id INTO in_report FROM deadline d JOIN report r ON r.id = d.subject_id WHERE d.id = object_id;
        ELSE NULL;
    END CASE;
    IF other IS NOT NULL AND other <> ALL (whose) THEN
        whose := whose || other;
    END IF;
    -- A report that arrives in this very statement cannot be read yet, and has no case.
    IF in_report IS NOT NULL OR object_kind = 'report' AND action <> 'report.receive' THEN
        SELECT r.case_id INTO in_case FROM report r WHERE r.id = coalesce(in_report, object_id);
    END IF;
    LOOP
        UPDATE audit_head h SET number = h.number + 1, hash = sha256(h.hash || convert_to(json_build_array(2,
            region, strand, h.number + 1, (extract(epoch FROM moment) * 1000000)::bigint, actor, action, event,
            object_kind, object_id, outcome, me.staff_id, me.role, why, place, request, in_report, in_case,
            array_to_string(whose, ','), software, details::text)::text, 'UTF8'))
            WHERE h.region_id = region AND h.chain = strand RETURNING * INTO head;
        EXIT WHEN FOUND;
        INSERT INTO audit_head VALUES (region, strand, 0, '\x') ON CONFLICT DO NOTHING;
    END LOOP;
    INSERT INTO audit_entry (region_id, chain, number, at, actor, action, object_kind, object_id, outcome, details, hash,
        line, event, staff_id, role, purpose, origin, request, report_id, case_id, persons, software)
    VALUES (region, strand, head.number, moment, actor, action, object_kind, object_id, outcome, details, head.hash,
        2, event, me.staff_id, me.role, why, place, request, in_report, in_case, whose, software);
    RETURN head.number;
END $$;
COMMENT ON FUNCTION audit_append IS
    'the only way into the audit trail; who acts, in which role, why and from where is read from the transaction';
REVOKE EXECUTE ON FUNCTION audit_append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_append TO veilig_web, veilig_door, veilig_worker;

-- ── reading the log ─────────────────────────────────────────────────────────────────────────────────────────
-- By functions of the owner: a row policy would keep the planner from the index on persons.

CREATE FUNCTION log_region(asked uuid) RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    me visit;
BEGIN
    -- Commands and workers, which carry no key; never the web, whether it signs in as its role or acts as it.
    IF coalesce(current_setting('veilig.key', true), '') = '' AND session_user NOT IN ('veilig_web', 'veilig_door')
        AND current_setting('role') NOT IN ('veilig_web', 'veilig_door') THEN
        RETURN asked;
    END IF;
    me := visit();
    RETURN CASE WHEN me.region_id = asked AND me.role IN ('privacy_officer', 'auditor') THEN asked END;
END $$;
COMMENT ON FUNCTION log_region IS 'the region whose log may be read here: NULL for who is no privacy officer or auditor';

CREATE FUNCTION log_subjects(region uuid, whose uuid) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    WITH place AS (SELECT log_region(region) AS id), found AS (
        SELECT l.mention_id AS id FROM link l
        WHERE l.person_id = whose AND l.state IN ('new', 'automatic', 'confirmed')
        UNION SELECT m.id FROM mention m WHERE m.id = whose
        UNION SELECT m.id FROM mention m WHERE m.report_id = whose
    ), mine AS (
        SELECT m.id, m.report_id, r.case_id FROM place, found f JOIN mention m ON m.id = f.id
        JOIN report r ON r.id = m.report_id WHERE m.region_id = place.id
    )
    SELECT p.id FROM place, person p WHERE p.id = whose AND p.region_id = place.id
    UNION SELECT r.id FROM place, report r WHERE r.id = whose AND r.region_id = place.id
    UNION SELECT id FROM mine UNION SELECT report_id FROM mine
    UNION SELECT case_id FROM mine WHERE case_id IS NOT NULL
$$;
COMMENT ON FUNCTION log_subjects IS 'the ids under which lines stand about this person, mention or report: itself, mentions,'
    ' their reports and cases; none when it is not of this region';

CREATE FUNCTION log_lines(
    region uuid, ids uuid[], staff uuid, username text, place text, since timestamptz, until timestamptz
) RETURNS SETOF audit_entry LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    -- A plan for any ids and any period reads the whole region's log.
    SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    mine uuid := log_region(region);
BEGIN
    IF mine IS NULL THEN
        RETURN;
    ELSIF ids IS NOT NULL THEN
        RETURN QUERY SELECT e.* FROM audit_entry e WHERE e.region_id = mine AND e.at >= since AND e.at < until
            AND (e.object_id = ANY (ids) OR (e.report_id IS NOT NULL AND e.report_id = ANY (ids))
                OR (e.persons <> '{}' AND e.persons && ids));
    ELSIF staff IS NOT NULL THEN
        RETURN QUERY SELECT e.* FROM audit_entry e WHERE e.region_id = mine AND e.at >= since AND e.at < until
            AND (e.staff_id = staff OR e.object_id = staff
                OR (e.actor <> 'system' AND e.actor NOT LIKE 'sender:%' AND e.actor = username AND e.staff_id IS NULL));
    ELSIF place IS NOT NULL THEN
        RETURN QUERY SELECT e.* FROM audit_entry e WHERE e.region_id = mine AND e.at >= since AND e.at < until
            AND e.origin = place;
    ELSE
        RETURN QUERY SELECT e.* FROM audit_entry e WHERE e.region_id = mine AND e.at >= since AND e.at < until;
    END IF;
END $$;
COMMENT ON FUNCTION log_lines IS 'the lines about these ids, or of this member, or from this address, or all, in a period';
REVOKE EXECUTE ON FUNCTION log_region, log_subjects, log_lines FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log_region, log_subjects, log_lines TO veilig_web, veilig_worker;

-- ── reviewing the log (AVG 32) ──────────────────────────────────────────────────────────────────────────────

CREATE TABLE log_finding (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    rule text NOT NULL,
    day date NOT NULL,
    weight smallint NOT NULL,
    lines integer NOT NULL CHECK (lines > 0),
    seen jsonb NOT NULL,
    found_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    reminded_at timestamptz,
    reviewed_at timestamptz,
    reviewed_by uuid REFERENCES staff,
    outcome text CHECK (outcome IN ('explained', 'talk', 'incident')),
    note text CHECK (note <> ''),
    UNIQUE (region_id, rule, staff_id, day),
    CHECK (reviewed_by <> staff_id),
    CHECK (num_nulls(reviewed_at, reviewed_by, outcome, note) IN (0, 4))
);
CREATE INDEX log_finding_open ON log_finding (region_id, due_at) WHERE reviewed_at IS NULL;
COMMENT ON TABLE log_finding IS 'what the privacy officer must look at: one per member, rule and day';
COMMENT ON COLUMN log_finding.seen IS 'the lines of the trail that it is about: [{chain, number}], the first hundred';

CREATE TABLE log_review_day (
    region_id uuid NOT NULL REFERENCES region,
    day date NOT NULL,
    at timestamptz NOT NULL,
    lines integer NOT NULL,
    findings integer NOT NULL,
    PRIMARY KEY (region_id, day)
);
COMMENT ON TABLE log_review_day IS 'the days whose lines were held against the risk rules';

-- ── the processing log (Logius Logboek Dataverwerkingen), an option ─────────────────────────────────────────

CREATE TABLE ldv_cursor (
    region_id uuid NOT NULL,
    chain smallint NOT NULL,
    number bigint NOT NULL,
    batch_until bigint,
    batch_place bigint,
    PRIMARY KEY (region_id, chain),
    CHECK (num_nulls(batch_until, batch_place) IN (0, 2))
);
COMMENT ON COLUMN ldv_cursor.batch_until IS 'up to this line is being written, from byte batch_place of the file';

SELECT secure_table(name, 'closed', '') FROM (VALUES
    ('audit_entry'), ('audit_head'), ('audit_action'), ('log_finding'), ('log_review_day'), ('ldv_cursor')
) AS t (name);
REVOKE INSERT, UPDATE, DELETE ON audit_entry, audit_head, audit_action FROM veilig_worker;
REVOKE DELETE ON log_finding, log_review_day FROM veilig_worker;
CREATE POLICY of_log_reader ON log_finding FOR SELECT TO veilig_web USING (region_id = (SELECT visit_region())
    AND (SELECT visit_role()) IN ('privacy_officer', 'auditor'));
CREATE POLICY of_reviewer ON log_finding FOR UPDATE TO veilig_web USING (region_id = (SELECT visit_region())
    AND (SELECT visit_role()) = 'privacy_officer' AND staff_id <> (SELECT visit_staff()))
    WITH CHECK (reviewed_by = (SELECT visit_staff()));
CREATE POLICY of_log_reader ON log_review_day FOR SELECT TO veilig_web USING (region_id = (SELECT visit_region())
    AND (SELECT visit_role()) IN ('privacy_officer', 'auditor'));
GRANT SELECT, UPDATE (reviewed_at, reviewed_by, outcome, note) ON log_finding TO veilig_web;
GRANT SELECT ON log_review_day TO veilig_web;
