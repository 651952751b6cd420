-- Restricted persons and exclusions of staff. Which reports are hidden follows from the links, so it is kept here, by
-- triggers, and no code can forget it. What hides a report also sees to it that its work does not wait: it goes to
-- the contact, and to a team lead when he is not there.

ALTER TABLE restriction
    ADD COLUMN lift_asked_at timestamptz,
    ADD COLUMN lift_asked_by text,
    ADD COLUMN lift_asked_why text,
    ADD CONSTRAINT restriction_lift_asked CHECK (num_nulls(lift_asked_at, lift_asked_by, lift_asked_why) IN (0, 3)),
    ADD CONSTRAINT restriction_lifted_by_two CHECK (lifted_at IS NULL OR
        (lift_asked_by IS NOT NULL AND lifted_by <> lift_asked_by));
COMMENT ON COLUMN restriction.lift_asked_by IS 'who asked to lift it; another person does it';
ALTER TABLE staff ADD COLUMN away_until date;
COMMENT ON COLUMN staff.away_until IS 'not at work up to and with this day: what is urgent goes to a team lead';
ALTER TABLE team ADD COLUMN phone text;
COMMENT ON COLUMN team.phone IS 'where colleagues reach this team';
ALTER TABLE access_grant ADD CONSTRAINT access_grant_break_glass
    CHECK (kind <> 'break_glass' OR until <= granted_at + interval '60 minutes');

DO $$
DECLARE
    definition text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = 'task'::regclass AND conname = 'task_kind_check');
BEGIN
    ALTER TABLE task DROP CONSTRAINT task_kind_check;
    -- What is there already stays allowed, also what another migration added.
    EXECUTE 'ALTER TABLE task ADD CONSTRAINT task_kind_check '
        || replace(definition, '''dead_job''::text', '''dead_job''::text, ''break_glass''::text');
END $$;

-- Also what is only asked, or was taken back: `link_person` holds the links in force.
CREATE INDEX link_of_person ON link (person_id, state);
CREATE INDEX forwarding_report ON forwarding (report_id);
CREATE INDEX restriction_region ON restriction (region_id) WHERE lifted_at IS NULL;
CREATE INDEX exclusion_team ON exclusion (team_id) WHERE lifted_at IS NULL AND team_id IS NOT NULL;
CREATE UNIQUE INDEX exclusion_staff_once ON exclusion (staff_id, person_id)
    WHERE lifted_at IS NULL AND staff_id IS NOT NULL;
CREATE UNIQUE INDEX exclusion_team_once ON exclusion (team_id, person_id)
    WHERE lifted_at IS NULL AND team_id IS NOT NULL;

-- ── which reports are restricted ─────────────────────────────────────────────────────────────────────────────

CREATE VIEW restricted_now AS
SELECT DISTINCT m.report_id, x.id AS restriction_id, x.region_id
FROM restriction x JOIN link l ON l.person_id = x.person_id AND l.state IN ('new', 'automatic', 'confirmed')
JOIN mention m ON m.id = l.mention_id WHERE x.lifted_at IS NULL
UNION
SELECT m.report_id, x.id, x.region_id
FROM restriction x JOIN link l ON l.person_id = x.person_id AND l.state = 'undone'
JOIN mention m ON m.id = l.mention_id
JOIN forwarding f ON f.report_id = m.report_id AND f.retrieved_at IS NULL AND f.at = l.decided_at
WHERE x.lifted_at IS NULL;
COMMENT ON VIEW restricted_now IS
    'what restricted_report must be: reports that name a restricted person, and forms on him that were sent on';
REVOKE ALL ON restricted_now FROM PUBLIC;

CREATE FUNCTION restrict_again(reports uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM restricted_report h WHERE h.report_id = ANY (reports) AND NOT EXISTS (
        SELECT FROM restricted_now n WHERE n.report_id = h.report_id AND n.restriction_id = h.restriction_id);
    INSERT INTO restricted_report (report_id, restriction_id, region_id)
    SELECT n.report_id, n.restriction_id, n.region_id FROM restricted_now n WHERE n.report_id = ANY (reports)
    ON CONFLICT DO NOTHING;
END $$;
REVOKE EXECUTE ON FUNCTION restrict_again FROM PUBLIC;

CREATE FUNCTION is_away(away_until date) RETURNS boolean LANGUAGE sql STABLE
    AS $$SELECT coalesce(away_until >= (now() AT TIME ZONE 'Europe/Amsterdam')::date, false)$$;

CREATE FUNCTION is_excluded(member uuid, report uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM exclusion e JOIN link l ON l.person_id = e.person_id
        AND l.state IN ('new', 'automatic', 'confirmed', 'proposed') JOIN mention m ON m.id = l.mention_id
        WHERE e.staff_id = member AND e.lifted_at IS NULL AND m.report_id = report)
$$;

CREATE FUNCTION is_excluded_from(member uuid, person uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT EXISTS (SELECT FROM exclusion WHERE staff_id = member AND person_id = person AND lifted_at IS NULL)';

CREATE FUNCTION has_access(member uuid, one restriction) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT one.contact_staff_id = member OR EXISTS (SELECT FROM access_grant g
        WHERE g.staff_id = member AND g.kind IN ('restricted', 'break_glass') AND g.ended_at IS NULL AND g.until > now()
        AND (g.person_id = one.person_id OR EXISTS (SELECT FROM report a WHERE a.id = g.report_id AND EXISTS (
            SELECT FROM restricted_report h JOIN report b ON b.id = h.report_id
            WHERE h.restriction_id = one.id AND (b.id = a.id OR b.case_id = a.case_id)))))
$$;
COMMENT ON FUNCTION has_access IS 'whether this member is its contact, or has a running grant for it or for a dossier of it';

CREATE FUNCTION sees_report(member uuid, report uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT is_excluded(member, report) AND NOT EXISTS (
        SELECT FROM restricted_report h JOIN restriction x ON x.id = h.restriction_id
        WHERE h.report_id = report AND x.contact_staff_id <> member AND NOT EXISTS (
            SELECT FROM access_grant g WHERE g.staff_id = member AND g.kind IN ('restricted', 'break_glass')
                AND g.ended_at IS NULL AND g.until > now()
                AND (g.person_id = x.person_id OR EXISTS (SELECT FROM report a JOIN report b ON b.id = h.report_id
                    WHERE a.id = g.report_id AND (a.id = b.id OR a.case_id = b.case_id)))))
$$;
COMMENT ON FUNCTION sees_report IS 'what visit_hidden says of the present member, of any member';

-- ── the work on what is restricted never waits for secrecy ───────────────────────────────────────────────────

CREATE FUNCTION restrictions_of(report uuid, question uuid) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT array_agg(x.id ORDER BY x.set_at, x.id) FROM restriction x WHERE x.lifted_at IS NULL AND (
        x.id IN (SELECT h.restriction_id FROM restricted_report h WHERE h.report_id = report)
        OR x.person_id IN (SELECT l.person_id FROM link l WHERE l.id = question AND l.state = 'proposed')
        OR x.id IN (SELECT h.restriction_id FROM link l JOIN link k ON k.person_id = l.person_id
            AND k.state IN ('new', 'automatic', 'confirmed') JOIN mention n ON n.id = k.mention_id
            JOIN restricted_report h ON h.report_id = n.report_id WHERE l.id = question AND l.state = 'proposed'))
$$;
COMMENT ON FUNCTION restrictions_of IS 'those that a task rests under: of its report, or of whom a question is about and the reports that name him';

CREATE FUNCTION restricted_receiver(restrictions uuid[], report uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id FROM restriction x JOIN staff c ON c.id = x.contact_staff_id
    JOIN staff s ON s.region_id = x.region_id AND s.active AND (s.id = c.id OR s.role = 'team_lead')
    WHERE x.id = restrictions[1] AND NOT is_excluded(s.id, report) AND NOT is_excluded_from(s.id, x.person_id)
    ORDER BY is_away(s.away_until), s.id = c.id DESC, s.team_id IS NOT DISTINCT FROM c.team_id DESC, s.id LIMIT 1
$$;
COMMENT ON FUNCTION restricted_receiver IS 'the contact; when he is away or gone, a team lead who may know of it';

CREATE FUNCTION restricted_to_receiver(restrictions uuid[], report uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    receiver uuid := restricted_receiver(restrictions, report);
    one restriction;
BEGIN
    -- Who gets the work can do it: a replacement, or a contact of one of two restricted persons, is let in.
    FOR one IN SELECT x.* FROM restriction x WHERE receiver IS NOT NULL AND x.id = ANY (restrictions)
        AND NOT has_access(receiver, x) LOOP
        INSERT INTO access_grant (id, region_id, staff_id, kind, person_id, purpose, reason, granted_by, granted_at,
            until) VALUES (gen_random_uuid(), one.region_id, receiver, 'restricted', one.person_id, 'safety',
            'Krijgt het werk over een afgeschermde melding, omdat het contact er niet is.', 'system', now(),
            now() + interval '14 days');
        PERFORM audit_append(one.region_id, 'system', 'grant.give', 'person', one.person_id,
            jsonb_build_object('kind', 'restricted', 'purpose', 'safety', 'staff', receiver), 'ok');
    END LOOP;
    RETURN receiver;
END $$;
REVOKE EXECUTE ON FUNCTION restricted_to_receiver FROM PUBLIC;

CREATE FUNCTION task_of_restricted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found uuid[] := restrictions_of(NEW.report_id, CASE WHEN NEW.kind = 'review_link' THEN NEW.subject_id END);
BEGIN
    IF found IS NOT NULL THEN
        NEW.staff_id := restricted_to_receiver(found, NEW.report_id);
    END IF;
    RETURN NEW;
END $$;
-- After task_of_report in the alphabet, which fills in the report.
CREATE TRIGGER task_of_restricted BEFORE INSERT OR UPDATE OF staff_id, team_id ON task FOR EACH ROW
    WHEN (NEW.done_at IS NULL AND NEW.staff_id IS NULL AND NEW.report_id IS NOT NULL)
    EXECUTE FUNCTION task_of_restricted();

CREATE FUNCTION restricted_work(only_of uuid DEFAULT NULL, at_most integer DEFAULT 100) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one record;
    moved integer := 0;
BEGIN
    FOR one IN
        SELECT t.id, t.report_id, f.restrictions
        FROM (SELECT t.* FROM restricted_report h JOIN task t ON t.report_id = h.report_id AND t.done_at IS NULL
                WHERE only_of IS NULL OR h.report_id = only_of
            UNION SELECT t.* FROM (
                    SELECT x.person_id FROM restriction x WHERE x.lifted_at IS NULL
                    UNION SELECT k.person_id FROM restricted_report h JOIN mention n ON n.report_id = h.report_id
                        JOIN link k ON k.mention_id = n.id AND k.state IN ('new', 'automatic', 'confirmed')) p
                JOIN link l ON l.person_id = p.person_id AND l.state = 'proposed'
                JOIN task t ON t.kind = 'review_link' AND t.subject_id = l.id AND t.done_at IS NULL
                WHERE only_of IS NULL OR t.report_id = only_of) t
        LEFT JOIN staff s ON s.id = t.staff_id
        CROSS JOIN LATERAL (SELECT restrictions_of(t.report_id, CASE WHEN t.kind = 'review_link' THEN t.subject_id END)
            AS restrictions) f
        CROSS JOIN LATERAL (SELECT restricted_receiver(f.restrictions, t.report_id) AS receiver) g
        WHERE (s.id IS NULL OR NOT s.active OR is_away(s.away_until) OR NOT sees_report(s.id, t.report_id)
            OR EXISTS (SELECT FROM restriction x WHERE x.id = ANY (f.restrictions) AND NOT has_access(s.id, x)))
            AND g.receiver IS NOT NULL AND (g.receiver IS DISTINCT FROM t.staff_id OR EXISTS (
                SELECT FROM restriction x WHERE x.id = ANY (f.restrictions) AND NOT has_access(g.receiver, x)))
        ORDER BY t.id LIMIT at_most
    LOOP
        UPDATE task SET staff_id = restricted_to_receiver(one.restrictions, one.report_id) WHERE id = one.id;
        moved := moved + 1;
    END LOOP;
    RETURN moved;
END $$;
REVOKE EXECUTE ON FUNCTION restricted_work FROM PUBLIC;
GRANT EXECUTE ON FUNCTION restricted_work TO veilig_worker;
COMMENT ON FUNCTION restricted_work IS
    'gives open work on restricted reports to who can do it, when nobody has it or who has it can not; how much it was';

CREATE FUNCTION restricted_report_work() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM restricted_work(NEW.report_id);
    RETURN NULL;
END $$;
CREATE TRIGGER restricted_report_work AFTER INSERT ON restricted_report
    FOR EACH ROW EXECUTE FUNCTION restricted_report_work();

CREATE FUNCTION staff_away() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one uuid;
BEGIN
    FOR one IN SELECT DISTINCT t.report_id FROM task t WHERE t.staff_id = NEW.id AND t.done_at IS NULL
        AND t.report_id IS NOT NULL AND restrictions_of(t.report_id,
            CASE WHEN t.kind = 'review_link' THEN t.subject_id END) IS NOT NULL LOOP
        PERFORM restricted_work(one);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER staff_away AFTER UPDATE OF active, away_until ON staff FOR EACH ROW
    WHEN (NOT NEW.active OR NEW.away_until IS NOT NULL) EXECUTE FUNCTION staff_away();

CREATE FUNCTION grant_over() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM restricted_work(NULL, 10000);
    RETURN NULL;
END $$;
CREATE TRIGGER grant_over AFTER UPDATE OF ended_at ON access_grant FOR EACH ROW
    WHEN (NEW.kind = 'restricted' AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION grant_over();

CREATE FUNCTION set_away(member uuid, day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me visit := visit();
    by_owner boolean := session_user NOT IN ('veilig_web', 'veilig_door', 'veilig_worker')
        AND current_setting('role') NOT IN ('veilig_web', 'veilig_door', 'veilig_worker');
BEGIN
    UPDATE staff SET away_until = day WHERE id = member AND (by_owner OR (region_id = me.region_id
        AND (id = me.staff_id OR me.role IN ('team_lead', 'privacy_officer'))));
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION set_away IS 'by the member himself, or a keeper of restrictions for him: staff is not changed by screens otherwise';

-- ── set, lifted, and every change of a link ──────────────────────────────────────────────────────────────────

CREATE FUNCTION restriction_waits() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- A link that is being made at this moment holds the person too: one of both sees the other.
    PERFORM FROM person WHERE id = NEW.person_id FOR UPDATE;
    RETURN NEW;
END $$;
CREATE TRIGGER restriction_waits BEFORE INSERT ON restriction FOR EACH ROW EXECUTE FUNCTION restriction_waits();

CREATE FUNCTION restriction_settles() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.lifted_at IS NOT NULL THEN
        DELETE FROM restricted_report WHERE restriction_id = NEW.id;
    ELSE
        INSERT INTO restricted_report (report_id, restriction_id, region_id)
        SELECT report_id, restriction_id, region_id FROM restricted_now WHERE restriction_id = NEW.id
        ON CONFLICT DO NOTHING;
        PERFORM restricted_work(NULL, 10000);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER restriction_settles AFTER INSERT OR UPDATE OF lifted_at, contact_staff_id ON restriction
    FOR EACH ROW EXECUTE FUNCTION restriction_settles();

CREATE FUNCTION link_restricts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    persons uuid[];
    mentions uuid[];
    reports uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(n.person_id), array_agg(n.mention_id) INTO persons, mentions FROM links_after n;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(n.person_id), array_agg(n.mention_id) INTO persons, mentions FROM links_before n;
    ELSE
        SELECT array_agg(n.person_id), array_agg(n.mention_id) INTO persons, mentions
        FROM (SELECT person_id, mention_id FROM links_before UNION SELECT person_id, mention_id FROM links_after) n;
        -- As a foreign key does for a new link: so that a restriction being set now and this wait for each other.
        PERFORM FROM person WHERE id = ANY (persons) ORDER BY id FOR KEY SHARE;
    END IF;
    IF EXISTS (SELECT FROM restriction x WHERE x.person_id = ANY (persons) AND x.lifted_at IS NULL) THEN
        reports := ARRAY(SELECT DISTINCT report_id FROM mention WHERE id = ANY (mentions));
        PERFORM restrict_again(reports);
        PERFORM restricted_work(one) FROM unnest(reports) AS one;
    END IF;
    UPDATE task t SET staff_id = NULL FROM exclusion e, mention m
    WHERE e.person_id = ANY (persons) AND e.lifted_at IS NULL AND m.id = ANY (mentions) AND t.report_id = m.report_id
        AND t.done_at IS NULL AND t.staff_id = e.staff_id AND is_excluded(e.staff_id, t.report_id);
    RETURN NULL;
END $$;
CREATE TRIGGER link_restricts_made AFTER INSERT ON link REFERENCING NEW TABLE AS links_after
    FOR EACH STATEMENT EXECUTE FUNCTION link_restricts();
CREATE TRIGGER link_restricts_moved AFTER UPDATE ON link REFERENCING OLD TABLE AS links_before NEW TABLE AS links_after
    FOR EACH STATEMENT EXECUTE FUNCTION link_restricts();
CREATE TRIGGER link_restricts_gone AFTER DELETE ON link REFERENCING OLD TABLE AS links_before
    FOR EACH STATEMENT EXECUTE FUNCTION link_restricts();

CREATE FUNCTION forwarding_restricts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM restrict_again(ARRAY[NEW.report_id]);
    RETURN NULL;
END $$;
CREATE TRIGGER forwarding_restricts AFTER INSERT OR UPDATE OF retrieved_at ON forwarding
    FOR EACH ROW EXECUTE FUNCTION forwarding_restricts();

-- Somebody says that a mention of a restricted person is another person of the register: he is the same human being,
-- so what protects him follows. To take a link back is the other way round: then it was not him.
CREATE FUNCTION protection_follows() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)
    SELECT gen_random_uuid(), x.region_id, NEW.person_id, x.contact_staff_id, x.reason, NEW.decided_by, NEW.decided_at
    FROM link o JOIN restriction x ON x.person_id = o.person_id AND x.lifted_at IS NULL
    WHERE o.mention_id = NEW.mention_id AND o.state = 'undone' AND o.decided_at = NEW.decided_at
        AND o.decided_by = NEW.decided_by AND o.person_id <> NEW.person_id
        AND NOT EXISTS (SELECT FROM restriction y WHERE y.person_id = NEW.person_id AND y.lifted_at IS NULL)
    LIMIT 1;
    INSERT INTO exclusion (id, region_id, staff_id, team_id, person_id, reason, set_by, set_at)
    SELECT gen_random_uuid(), e.region_id, e.staff_id, e.team_id, NEW.person_id, e.reason, NEW.decided_by, NEW.decided_at
    FROM link o JOIN exclusion e ON e.person_id = o.person_id AND e.lifted_at IS NULL
    WHERE o.mention_id = NEW.mention_id AND o.state = 'undone' AND o.decided_at = NEW.decided_at
        AND o.decided_by = NEW.decided_by AND o.person_id <> NEW.person_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER protection_follows AFTER UPDATE OF state ON link FOR EACH ROW
    WHEN (OLD.state = 'proposed' AND NEW.state = 'confirmed') EXECUTE FUNCTION protection_follows();

CREATE FUNCTION exclusion_settles() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE task t SET staff_id = NULL WHERE t.staff_id = NEW.staff_id AND t.done_at IS NULL AND t.report_id IN (
        SELECT m.report_id FROM link l JOIN mention m ON m.id = l.mention_id WHERE l.person_id = NEW.person_id
            AND l.state IN ('new', 'automatic', 'confirmed', 'proposed'));
    RETURN NULL;
END $$;
CREATE TRIGGER exclusion_settles AFTER INSERT ON exclusion FOR EACH ROW
    WHEN (NEW.staff_id IS NOT NULL) EXECUTE FUNCTION exclusion_settles();

-- ── break-glass: told at once, open until somebody looked at it ──────────────────────────────────────────────

CREATE FUNCTION break_glass_told() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO task (id, region_id, kind, subject_id, risk, received_at, due_at, opened_at, team_since)
        VALUES (gen_random_uuid(), NEW.region_id, 'break_glass', NEW.id, 1, NEW.granted_at,
            coalesce(NEW.review_due_at, NEW.granted_at + interval '3 days'), NEW.granted_at, NEW.granted_at);
    ELSE
        UPDATE task SET done_at = NEW.reviewed_at, done_by = NEW.reviewed_by, outcome = NEW.review_outcome
        WHERE kind = 'break_glass' AND subject_id = NEW.id AND done_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER break_glass_told AFTER INSERT ON access_grant FOR EACH ROW WHEN (NEW.kind = 'break_glass')
    EXECUTE FUNCTION break_glass_told();
CREATE TRIGGER break_glass_reviewed AFTER UPDATE OF reviewed_at ON access_grant FOR EACH ROW
    WHEN (NEW.kind = 'break_glass' AND OLD.reviewed_at IS NULL AND NEW.reviewed_at IS NOT NULL)
    EXECUTE FUNCTION break_glass_told();

-- ── what the present member may know without seeing ──────────────────────────────────────────────────────────

CREATE FUNCTION visit_hidden_persons() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = public, pg_temp AS $$
DECLARE
    me visit := visit();
    let_in boolean; -- most members are let in nowhere: then there is nothing to ask per restriction
BEGIN
    let_in := EXISTS (SELECT FROM access_grant g WHERE g.staff_id = me.staff_id
        AND g.kind IN ('restricted', 'break_glass') AND g.ended_at IS NULL AND g.until > now());
    RETURN QUERY
    SELECT x.person_id FROM restriction x
    WHERE x.region_id = me.region_id AND x.lifted_at IS NULL AND x.contact_staff_id <> me.staff_id
        AND (NOT let_in OR NOT has_access(me.staff_id, x))
    UNION ALL
    SELECT e.person_id FROM exclusion e WHERE e.staff_id = me.staff_id AND e.lifted_at IS NULL;
END $$;
COMMENT ON FUNCTION visit_hidden_persons IS 'the persons of whom this member may not know that they are known';

CREATE FUNCTION visit_unknown_persons() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = public, pg_temp AS $$
DECLARE
    hidden uuid[] := ARRAY(SELECT visit_hidden());
BEGIN
    RETURN QUERY SELECT visit_hidden_persons();
    RETURN QUERY
    SELECT DISTINCT l.person_id FROM mention m JOIN link l ON l.mention_id = m.id
        AND l.state IN ('new', 'automatic', 'confirmed')
    WHERE m.report_id = ANY (hidden) AND NOT EXISTS (
        SELECT FROM link k JOIN mention n ON n.id = k.mention_id WHERE k.person_id = l.person_id
            AND k.state IN ('new', 'automatic', 'confirmed') AND n.report_id <> ALL (hidden));
END $$;
COMMENT ON FUNCTION visit_unknown_persons IS 'these, and who is named in hidden reports only';

CREATE FUNCTION visit_hidden_cases() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20 SET search_path = public, pg_temp AS $$
DECLARE
    hidden uuid[] := ARRAY(SELECT visit_hidden());
BEGIN
    RETURN QUERY
    SELECT DISTINCT r.case_id FROM report r WHERE r.id = ANY (hidden) AND r.case_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM report o WHERE o.case_id = r.case_id AND o.id <> ALL (hidden));
END $$;
COMMENT ON FUNCTION visit_hidden_cases IS 'the cases of which every report is hidden from this member';

CREATE FUNCTION contact_name(one restriction) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.name FROM staff c JOIN staff s ON s.region_id = c.region_id AND s.active
        AND (s.id = c.id OR s.role = 'team_lead')
    WHERE c.id = one.contact_staff_id
    ORDER BY is_away(s.away_until), s.id = c.id DESC, s.team_id IS NOT DISTINCT FROM c.team_id DESC, s.id LIMIT 1
$$;
COMMENT ON FUNCTION contact_name IS 'whom to ask: the contact, or a team lead while he is away';
REVOKE EXECUTE ON FUNCTION contact_name FROM PUBLIC;

CREATE FUNCTION blind_contact(report uuid, question uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(
        (SELECT string_agg(DISTINCT contact_name(x), ', ') FROM restriction x
            WHERE x.id = ANY (restrictions_of(report, question))),
        -- An exclusion is not told: it looks like a restriction of which a team lead is the contact.
        (SELECT s.name FROM staff s WHERE s.region_id = visit_region() AND s.active AND s.role = 'team_lead'
            AND s.id <> visit_staff() ORDER BY is_away(s.away_until), s.id LIMIT 1),
        'de teamleider')
$$;
REVOKE EXECUTE ON FUNCTION blind_contact FROM PUBLIC;

CREATE FUNCTION blind_tasks(tasks uuid[]) RETURNS TABLE (task_id uuid, contact text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me visit := visit();
    hidden uuid[] := ARRAY(SELECT visit_hidden());
    persons uuid[] := ARRAY(SELECT visit_unknown_persons());
BEGIN
    RETURN QUERY
    SELECT t.id, blind_contact(t.report_id, l.id)
    FROM task t LEFT JOIN link l ON t.kind = 'review_link' AND l.id = t.subject_id
    WHERE me.staff_id IS NOT NULL AND t.id = ANY (tasks) AND t.region_id = me.region_id
        AND (t.report_id = ANY (hidden) OR l.person_id = ANY (persons));
END $$;
COMMENT ON FUNCTION blind_tasks IS 'which of these tasks are about something hidden from this member, and whom he can ask';

CREATE FUNCTION restrictions_near(of_report uuid) RETURNS SETOF restriction
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH it AS (SELECT id, household_id FROM report WHERE id = of_report), asked AS (
        SELECT l.person_id FROM it JOIN mention m ON m.report_id = it.id
        JOIN link l ON l.mention_id = m.id AND l.state = 'proposed'
    )
    SELECT x.* FROM restriction x WHERE x.lifted_at IS NULL AND x.id IN (
        SELECT y.id FROM asked a JOIN restriction y ON y.person_id = a.person_id AND y.lifted_at IS NULL
        UNION ALL
        SELECT h.restriction_id FROM it JOIN report o ON o.household_id = it.household_id AND o.id <> it.id
            JOIN restricted_report h ON h.report_id = o.id
        UNION ALL
        SELECT h.restriction_id FROM asked a JOIN link k ON k.person_id = a.person_id
            AND k.state IN ('new', 'automatic', 'confirmed') JOIN mention n ON n.id = k.mention_id
            JOIN restricted_report h ON h.report_id = n.report_id)
$$;
REVOKE EXECUTE ON FUNCTION restrictions_near FROM PUBLIC;
COMMENT ON FUNCTION restrictions_near IS
    'whom a report is asked to be about, and who is named in restricted reports of its household or of those asked about';

CREATE FUNCTION blind_hits(of_report uuid) RETURNS TABLE (contact text, team text, phone text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me visit := visit();
    hidden uuid[] := ARRAY(SELECT visit_hidden());
BEGIN
    IF me.staff_id IS NULL OR of_report = ANY (hidden) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT DISTINCT contact_name(x), t.name, t.phone
    FROM restrictions_near(of_report) x JOIN staff c ON c.id = x.contact_staff_id LEFT JOIN team t ON t.id = c.team_id
    WHERE x.region_id = me.region_id AND NOT has_access(me.staff_id, x)
        AND NOT is_excluded_from(me.staff_id, x.person_id);
END $$;
COMMENT ON FUNCTION blind_hits IS
    'whom to ask, when somebody of this report may be a restricted person, or one of those around him; nothing else of it';

CREATE FUNCTION beyond_sight(of_report uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    hidden uuid[] := ARRAY(SELECT visit_hidden());
BEGIN
    RETURN cardinality(hidden) > 0 AND EXISTS (
        WITH persons AS (
            SELECT l.person_id FROM mention m JOIN link l ON l.mention_id = m.id AND l.state <> 'undone'
            WHERE m.report_id = of_report
        ), homes AS (
            SELECT household_id FROM report WHERE id = of_report AND household_id IS NOT NULL
            UNION SELECT b.household_id FROM membership b WHERE b.person_id IN (SELECT person_id FROM persons)
        )
        SELECT FROM report r WHERE r.id = ANY (hidden) AND (
            r.household_id IN (SELECT household_id FROM homes)
            OR EXISTS (SELECT FROM mention m JOIN link l ON l.mention_id = m.id AND l.state <> 'undone'
                WHERE m.report_id = r.id AND l.person_id IN (SELECT person_id FROM persons))));
END $$;
COMMENT ON FUNCTION beyond_sight IS
    'whether a report shares persons or a household with one that is hidden: who decides on it must see all of it';

CREATE FUNCTION break_glass_target(of_report uuid) RETURNS TABLE (report_id uuid, person_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me visit := visit();
    known report%ROWTYPE;
    hidden uuid[] := ARRAY(SELECT visit_hidden());
BEGIN
    SELECT r.* INTO known FROM report r WHERE r.id = of_report AND r.region_id = me.region_id;
    IF me.staff_id IS NULL OR known.id IS NULL OR is_excluded(me.staff_id, known.id) THEN
        RETURN;
    ELSIF known.id = ANY (hidden) THEN
        RETURN QUERY SELECT known.id, NULL::uuid;
    ELSE
        RETURN QUERY
        SELECT known.id, x.person_id FROM restrictions_near(known.id) x WHERE x.region_id = me.region_id
            AND NOT has_access(me.staff_id, x) AND NOT is_excluded_from(me.staff_id, x.person_id)
        ORDER BY x.set_at, x.id;
    END IF;
END $$;
COMMENT ON FUNCTION break_glass_target IS 'what this member could open in an emergency from here: nothing that he is excluded from';

CREATE FUNCTION task_fits(task uuid, member uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT sees_report(member, t.report_id) AND NOT EXISTS (
        SELECT FROM restriction x WHERE t.kind = 'review_link' AND NOT has_access(member, x)
            AND x.id = ANY (restrictions_of(t.report_id, t.subject_id)))
    FROM task t WHERE t.id = task
$$;
COMMENT ON FUNCTION task_fits IS 'whether this colleague may know what the task is about';

-- What holds for a case holds for all of its reports, also for those that the present visit does not see.
CREATE FUNCTION case_works(of_case uuid, final text[]) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT EXISTS (SELECT FROM report WHERE case_id = of_case AND state <> ALL (final))';
CREATE FUNCTION case_in_danger(of_case uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT EXISTS (SELECT FROM report r JOIN acute_check a ON a.report_id = r.id WHERE r.case_id = of_case
        AND a.acute AND a.ended_at IS NULL)';

CREATE FUNCTION restricted_count(of_restriction uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$SELECT count(*) FROM restricted_report h JOIN restriction x ON x.id = h.restriction_id
        WHERE x.id = of_restriction AND x.region_id = visit_region()
        AND (visit_role() IN ('team_lead', 'privacy_officer') OR x.contact_staff_id = visit_staff())$$;

-- ── the wall ─────────────────────────────────────────────────────────────────────────────────────────────────

-- Read by who decides on them and by who it is about; a visit sees of the rest only what the functions above tell.
DROP POLICY of_visit ON restriction;
CREATE POLICY of_visit ON restriction TO veilig_web
    USING (region_id = (SELECT visit_region()) AND ((SELECT visit_role()) IN ('team_lead', 'privacy_officer')
        OR contact_staff_id = (SELECT visit_staff())))
    WITH CHECK (region_id = (SELECT visit_region()) AND (SELECT visit_role()) IN ('team_lead', 'privacy_officer'));
DROP POLICY of_visit ON exclusion;
CREATE POLICY of_visit ON exclusion TO veilig_web
    USING (region_id = (SELECT visit_region()) AND (SELECT visit_role()) IN ('team_lead', 'privacy_officer')
        AND staff_id IS DISTINCT FROM (SELECT visit_staff()))
    WITH CHECK (region_id = (SELECT visit_region()) AND ((SELECT visit_role()) IN ('team_lead', 'privacy_officer')
        OR staff_id = (SELECT visit_staff())));
CREATE POLICY by_who_may ON access_grant AS RESTRICTIVE FOR INSERT TO veilig_web
    WITH CHECK (CASE kind
        WHEN 'restricted' THEN (SELECT visit_role()) IN ('team_lead', 'privacy_officer') OR EXISTS (SELECT FROM restriction x
            WHERE x.person_id = access_grant.person_id AND x.contact_staff_id = (SELECT visit_staff()))
        WHEN 'break_glass' THEN staff_id = (SELECT visit_staff()) AND review_due_at IS NOT NULL
        ELSE true END);
-- What was granted stays as it was; only its end and its review are added.
REVOKE UPDATE ON access_grant FROM veilig_web;
GRANT UPDATE (ended_at, ended_by, reviewed_at, reviewed_by, review_outcome, review_note) ON access_grant TO veilig_web;
CREATE POLICY hidden_person ON link AS RESTRICTIVE FOR SELECT TO veilig_web
    USING (person_id NOT IN (SELECT visit_unknown_persons()));
CREATE POLICY hidden_person ON person AS RESTRICTIVE FOR SELECT TO veilig_web
    USING (id NOT IN (SELECT visit_unknown_persons()));
CREATE POLICY hidden_person ON person_key AS RESTRICTIVE FOR SELECT TO veilig_web
    USING (person_id NOT IN (SELECT visit_unknown_persons()));
CREATE POLICY hidden_case ON cases AS RESTRICTIVE FOR SELECT TO veilig_web
    USING (id NOT IN (SELECT visit_hidden_cases()));
CREATE POLICY hidden_case ON safety_watch AS RESTRICTIVE FOR SELECT TO veilig_web
    USING (case_id NOT IN (SELECT visit_hidden_cases()));
-- What a signal says rests on all of its reports.
CREATE POLICY hidden_evidence ON signal AS RESTRICTIVE FOR SELECT TO veilig_web
    USING (NOT evidence && ARRAY(SELECT visit_hidden()));

GRANT SELECT (away_until) ON staff TO veilig_web;
GRANT UPDATE (ended_at, ended_by) ON access_grant TO veilig_worker;
