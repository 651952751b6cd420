-- Who sees which row, enforced by the database itself. The product works under three roles that own nothing and pass
-- no policy: veilig_door until it is known who asks, veilig_web from then on, veilig_worker for the work behind it.
-- Who asks is not said by the application but derived here from the live session that the transaction names.

DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['veilig_web', 'veilig_door', 'veilig_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = one) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', one);
                EXECUTE format('GRANT %I TO CURRENT_USER', one);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL; -- another start was first
                WHEN insufficient_privilege THEN RAISE EXCEPTION
                    'the database role % is missing and this role may not make it: see docs/operations.md', one;
            END;
        END IF;
    END LOOP;
END $$;

ALTER TABLE staff DROP CONSTRAINT staff_role_check;
ALTER TABLE staff ADD CONSTRAINT staff_role_check CHECK (role IN ('intake_worker', 'assessor',
    'behavioural_scientist', 'trusted_physician', 'team_lead', 'privacy_officer', 'auditor', 'administrator'));

-- ── sessions carry their own end ─────────────────────────────────────────────────────────────────────────────

ALTER TABLE staff_session
    ADD COLUMN idle_until timestamptz,
    ADD COLUMN ends_at timestamptz,
    ADD COLUMN stepped_up_until timestamptz;
UPDATE staff_session SET idle_until = seen_at + interval '30 minutes', ends_at = started_at + interval '10 hours';
ALTER TABLE staff_session ALTER COLUMN idle_until SET NOT NULL, ALTER COLUMN ends_at SET NOT NULL;
COMMENT ON COLUMN staff_session.stepped_up_until IS 'until when what is dangerous may be done without proving oneself again';

-- ── restricted persons, exclusions of staff, and grants ──────────────────────────────────────────────────────

CREATE TABLE restriction (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    person_id uuid NOT NULL REFERENCES person,
    contact_staff_id uuid NOT NULL REFERENCES staff,
    reason text NOT NULL CHECK (reason <> ''),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    lifted_at timestamptz,
    lifted_by text,
    lifted_why text,
    CHECK (num_nulls(lifted_at, lifted_by, lifted_why) IN (0, 3))
);
CREATE UNIQUE INDEX restriction_one_open ON restriction (person_id) WHERE lifted_at IS NULL;
COMMENT ON COLUMN restriction.contact_staff_id IS 'whom others are sent to; he sees the reports of this person';
CREATE TABLE restricted_report (
    report_id uuid NOT NULL REFERENCES report,
    restriction_id uuid NOT NULL REFERENCES restriction,
    region_id uuid NOT NULL,
    PRIMARY KEY (report_id, restriction_id)
);
CREATE INDEX restricted_report_region ON restricted_report (region_id) INCLUDE (report_id, restriction_id);
CREATE INDEX restricted_report_restriction ON restricted_report (restriction_id);
CREATE TABLE exclusion (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid REFERENCES staff,
    team_id uuid REFERENCES team,
    person_id uuid NOT NULL REFERENCES person,
    reason text NOT NULL CHECK (reason <> ''),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    lifted_at timestamptz,
    lifted_by text,
    lifted_why text,
    CHECK (num_nonnulls(staff_id, team_id) = 1),
    CHECK (num_nulls(lifted_at, lifted_by, lifted_why) IN (0, 3))
);
CREATE INDEX exclusion_staff ON exclusion (staff_id) WHERE lifted_at IS NULL;
CREATE INDEX exclusion_person ON exclusion (person_id) WHERE lifted_at IS NULL;
COMMENT ON COLUMN exclusion.team_id IS 'a partner organisation that nothing on this person goes to';
CREATE TABLE access_grant (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    kind text NOT NULL CHECK (kind IN ('whereabouts', 'reporter', 'bsn', 'restricted', 'break_glass')),
    report_id uuid REFERENCES report,
    person_id uuid REFERENCES person,
    purpose text NOT NULL CHECK (purpose <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL,
    until timestamptz NOT NULL CHECK (until > granted_at),
    ended_at timestamptz,
    ended_by text,
    review_due_at timestamptz,
    reviewed_at timestamptz,
    reviewed_by text,
    review_outcome text,
    review_note text,
    CHECK (num_nonnulls(report_id, person_id) >= 1),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CHECK (num_nulls(reviewed_at, reviewed_by, review_outcome) IN (0, 3))
);
CREATE INDEX access_grant_staff ON access_grant (staff_id, kind) WHERE ended_at IS NULL;
CREATE INDEX access_grant_report ON access_grant (report_id);
CREATE INDEX access_grant_person ON access_grant (person_id);
CREATE INDEX access_grant_review ON access_grant (region_id, review_due_at)
    WHERE review_due_at IS NOT NULL AND reviewed_at IS NULL;

-- ── who asks ─────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TYPE visit AS (
    kind text, region_id uuid, staff_id uuid, role text, handover_id uuid, sender_id uuid, team_id uuid
);
CREATE FUNCTION visit() RETURNS visit LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    key text := current_setting('veilig.key', true);
    found visit;
BEGIN
    -- What this very transaction ends (a sign-out, the answer of a partner) holds until it commits: ended_at >= now().
    CASE split_part(coalesce(key, ''), ':', 1)
    WHEN 'staff' THEN
        SELECT 'staff', s.region_id, s.id, s.role, NULL, NULL, s.team_id INTO found
        FROM staff_session t JOIN staff s ON s.id = t.staff_id
        WHERE t.token_hash = sha256(convert_to(substr(key, 7), 'UTF8')) AND (t.ended_at IS NULL OR t.ended_at >= now())
            AND t.idle_until > now() AND t.ends_at > now() AND s.active;
    WHEN 'partner' THEN
        SELECT 'partner', i.region_id, NULL, 'partner', i.handover_id, NULL, h.team_id INTO found
        FROM handover_invite i JOIN handover h ON h.id = i.handover_id
        WHERE i.visit_hash = sha256(convert_to(substr(key, 9), 'UTF8')) AND (i.ended_at IS NULL OR i.ended_at >= now())
            AND i.visit_until > now();
    WHEN 'sender' THEN
        SELECT 'sender', s.region_id, NULL, 'feed', NULL, s.id, s.team_id INTO found
        FROM sender_token t JOIN sender s ON s.id = t.sender_id
        WHERE t.id = substr(key, 8)::uuid AND t.revoked_at IS NULL
            AND (t.expires_at IS NULL OR t.expires_at > now()) AND s.revoked_at IS NULL;
    WHEN 'certificate' THEN
        SELECT 'sender', s.region_id, NULL, 'feed', NULL, s.id, s.team_id INTO found
        FROM sender s WHERE s.certificate_sha256 = substr(key, 13) AND s.revoked_at IS NULL;
    ELSE NULL;
    END CASE;
    RETURN found;
END $$;
COMMENT ON FUNCTION visit IS
    'who asks, from the secret that the transaction carries (veilig.key): nobody can be named without it';

CREATE FUNCTION visit_region() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT (v).region_id FROM visit() v';
CREATE FUNCTION visit_staff() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT (v).staff_id FROM visit() v';
CREATE FUNCTION visit_role() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT (v).role FROM visit() v';

CREATE FUNCTION visit_member(idle interval)
    RETURNS TABLE (id uuid, region_id uuid, username text, name text, role text, team_id uuid,
        stepped_up_until timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me uuid := visit_staff();
BEGIN
    IF me IS NULL THEN
        RETURN;
    END IF;
    UPDATE staff_session SET seen_at = now(), idle_until = now() + idle
    WHERE token_hash = sha256(convert_to(substr(current_setting('veilig.key', true), 7), 'UTF8'))
        AND seen_at < now() - interval '1 minute';
    RETURN QUERY SELECT s.id, s.region_id, s.username, s.name, s.role, s.team_id, t.stepped_up_until
        FROM staff s JOIN staff_session t ON t.staff_id = s.id
        WHERE t.token_hash = sha256(convert_to(substr(current_setting('veilig.key', true), 7), 'UTF8'));
END $$;
COMMENT ON FUNCTION visit_member IS 'the member whose live session this is; notes once a minute that he was seen';

CREATE FUNCTION visit_hidden() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = public, pg_temp AS $$
DECLARE
    me visit := visit();
    -- Most members are let in nowhere: then there is nothing to ask per report.
    let_in boolean := EXISTS (SELECT FROM access_grant g WHERE g.staff_id = me.staff_id
        AND g.kind IN ('restricted', 'break_glass') AND g.ended_at IS NULL AND g.until > now());
BEGIN
    RETURN QUERY
    SELECT h.report_id FROM restricted_report h JOIN restriction x ON x.id = h.restriction_id
    WHERE h.region_id = me.region_id AND x.contact_staff_id <> me.staff_id AND (NOT let_in OR NOT EXISTS (
        SELECT FROM access_grant g WHERE g.staff_id = me.staff_id AND g.kind IN ('restricted', 'break_glass')
            AND g.ended_at IS NULL AND g.until > now()
            AND (g.person_id = x.person_id OR EXISTS (
                SELECT FROM report a JOIN report b ON b.id = h.report_id
                WHERE a.id = g.report_id AND (a.id = b.id OR a.case_id = b.case_id)))))
    UNION ALL
    SELECT m.report_id FROM exclusion e JOIN link l ON l.person_id = e.person_id
        AND l.state IN ('new', 'automatic', 'confirmed', 'proposed') JOIN mention m ON m.id = l.mention_id
    WHERE e.staff_id = me.staff_id AND e.lifted_at IS NULL;
END $$;
COMMENT ON FUNCTION visit_hidden IS 'the reports that this member may not see, though they are of his region';

CREATE FUNCTION visit_reports() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 5 SET search_path = public, pg_temp AS $$
DECLARE
    me visit := visit();
BEGIN
    RETURN QUERY
    SELECT o.id FROM handover h JOIN report r ON r.id = h.report_id
        JOIN report o ON o.id = r.id OR (o.household_id = r.household_id AND h.shares ? 'history')
    WHERE h.id = me.handover_id
    UNION
    SELECT o.id FROM handover h JOIN report r ON r.id = h.report_id
        JOIN report o ON o.id = r.id OR (o.household_id = r.household_id AND h.shares ? 'history')
    WHERE me.sender_id IS NOT NULL AND h.team_id = me.team_id AND h.region_id = me.region_id;
    IF me.sender_id IS NOT NULL THEN
        RETURN QUERY SELECT r.id FROM report r WHERE r.sender_id = me.sender_id;
    END IF;
END $$;
COMMENT ON FUNCTION visit_reports IS 'the reports that a partner or a sender may know something of';

-- ── one way to put a table behind the wall ───────────────────────────────────────────────────────────────────

CREATE FUNCTION secure_table(name text, scope text, rights text DEFAULT 'SELECT, INSERT, UPDATE') RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    of_region text := 'region_id = (SELECT visit_region())';
    of_staff text := of_region || ' AND (SELECT visit_staff()) IS NOT NULL';
    shown text := $q$CASE WHEN (SELECT visit_staff()) IS NOT NULL
        THEN %1$I IS NULL OR %1$I NOT IN (SELECT visit_hidden()) ELSE %1$I IN (SELECT visit_reports()) END$q$;
    rule text := CASE scope
        WHEN 'open' THEN of_region
        WHEN 'region' THEN of_staff
        WHEN 'report' THEN of_region || ' AND ' || format(shown, 'report_id')
        WHEN 'mention' THEN of_region || ' AND EXISTS (SELECT FROM mention m WHERE m.id = mention_id)'
        WHEN 'own' THEN 'staff_id = (SELECT visit_staff())'
        WHEN 'closed' THEN NULL
        -- Tables that are their own case, or reach their report by another way.
        WHEN 'report_itself' THEN of_region || ' AND ' || format(shown, 'id')
        WHEN 'message' THEN of_region || $q$ AND (EXISTS (SELECT FROM report r WHERE r.message_id = message.id)
            OR (outcome = 'quarantine' AND (SELECT visit_staff()) IS NOT NULL))$q$
        WHEN 'of_message' THEN of_region || ' AND EXISTS (SELECT FROM message m WHERE m.id = message_id)'
        WHEN 'region_itself' THEN 'id = (SELECT visit_region())'
        WHEN 'deadline' THEN 'EXISTS (SELECT FROM deadline d WHERE d.id = deadline_id)'
        WHEN 'service' THEN 'EXISTS (SELECT FROM service s WHERE s.id = service_id)'
        END;
BEGIN
    IF rule IS NULL AND scope <> 'closed' THEN
        RAISE EXCEPTION 'unknown scope %', scope;
    END IF;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('REVOKE ALL ON %I FROM veilig_web, veilig_door, veilig_worker', name);
    EXECUTE format('DROP POLICY IF EXISTS of_visit ON %I', name);
    EXECUTE format('DROP POLICY IF EXISTS of_worker ON %I', name);
    IF scope <> 'closed' THEN
        EXECUTE format('CREATE POLICY of_visit ON %I TO veilig_web USING (%s) WITH CHECK (%s)', name, rule, rule);
        EXECUTE format('GRANT %s ON %I TO veilig_web', rights, name);
    END IF;
    EXECUTE format('CREATE POLICY of_worker ON %I TO veilig_worker USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO veilig_worker', name);
END $$;
REVOKE EXECUTE ON FUNCTION secure_table FROM PUBLIC;
COMMENT ON FUNCTION secure_table IS
    'open: any visit of the region; region: its staff; report, mention: who may see that report; own: staff_id is me; closed: nobody';

SELECT secure_table(name, scope, rights) FROM (VALUES
    ('region', 'region_itself', 'SELECT'), ('team', 'open', 'SELECT'), ('sender', 'open', 'SELECT'),
    ('service_area', 'open', 'SELECT'), ('register_size', 'open', 'SELECT'),
    ('staff_session', 'own', 'SELECT, UPDATE'), ('sender_token', 'closed', ''),
    ('job', 'open', 'SELECT, INSERT, UPDATE'), ('task', 'open', 'SELECT, INSERT, UPDATE'),
    ('deadline', 'open', 'SELECT, INSERT, UPDATE'), ('deadline_entry', 'deadline', 'SELECT, INSERT'),
    ('household', 'open', 'SELECT, INSERT, UPDATE'), ('cases', 'open', 'SELECT, INSERT, UPDATE'),
    ('safety_watch', 'open', 'SELECT, INSERT, UPDATE'), ('handover_invite', 'open', 'SELECT, INSERT, UPDATE'),
    ('message', 'message', 'SELECT'), ('quarantine', 'region', 'SELECT, UPDATE'),
    ('outgoing_reply', 'of_message', 'SELECT (id, region_id, message_id, kind, created_at, sent_at)'),
    ('report', 'report_itself', 'SELECT, UPDATE'), ('mention', 'report', 'SELECT, UPDATE'),
    ('person', 'region', 'SELECT, INSERT, UPDATE'), ('membership', 'mention', 'SELECT, INSERT, UPDATE, DELETE'),
    ('link', 'mention', 'SELECT, INSERT, UPDATE'),
    ('person_key', 'region', 'SELECT, INSERT, UPDATE, DELETE'),
    ('involvement', 'report', 'SELECT, INSERT, UPDATE, DELETE'), ('signal', 'report', 'SELECT, INSERT, UPDATE'),
    ('rule_set', 'region', 'SELECT, INSERT, UPDATE'), ('rehearsal', 'region', 'SELECT, INSERT, UPDATE'),
    ('rehearsal_part', 'region', 'SELECT, INSERT, UPDATE'),
    ('rehearsal_change', 'report', 'SELECT, INSERT, UPDATE'),
    ('rule_activation', 'region', 'SELECT, INSERT, UPDATE'), ('quality_draw', 'region', 'SELECT'),
    ('quality_sample', 'mention', 'SELECT, UPDATE'), ('term_month', 'region', 'SELECT'),
    ('route', 'report', 'SELECT, INSERT, UPDATE'), ('report_step', 'report', 'SELECT, INSERT'),
    ('acute_check', 'report', 'SELECT, INSERT, UPDATE'), ('acute_action', 'report', 'SELECT, INSERT'),
    ('risk_look', 'report', 'SELECT, INSERT'), ('assessment', 'report', 'SELECT, INSERT, UPDATE'),
    ('handover', 'report', 'SELECT, INSERT, UPDATE'), ('service', 'report', 'SELECT, INSERT, UPDATE'),
    ('contact', 'report', 'SELECT, INSERT, UPDATE'), ('finding', 'service', 'SELECT, INSERT, UPDATE'),
    ('safety_condition', 'report', 'SELECT, INSERT, UPDATE'),
    ('monitoring_moment', 'report', 'SELECT, INSERT, UPDATE'), ('feedback', 'report', 'SELECT, INSERT, UPDATE'),
    ('outgoing_message', 'report', 'SELECT, INSERT'), ('letter', 'report', 'SELECT, INSERT, UPDATE'),
    ('person_notice', 'report', 'SELECT, INSERT, UPDATE'), ('person_request', 'report', 'SELECT, INSERT, UPDATE'),
    ('forwarding', 'report', 'SELECT, INSERT, UPDATE'),
    ('audit_entry', 'closed', ''), ('audit_head', 'closed', ''),
    ('restriction', 'region', 'SELECT, INSERT, UPDATE'), ('restricted_report', 'report', 'SELECT'),
    ('exclusion', 'region', 'SELECT, INSERT, UPDATE'), ('access_grant', 'region', 'SELECT, INSERT, UPDATE')
) AS t (name, scope, rights);

-- A term and its first line are written in one statement, so the line's policy cannot look for the term yet: it is
-- looked for when the statement ends.
DROP POLICY of_visit ON deadline_entry;
CREATE POLICY of_visit ON deadline_entry FOR SELECT TO veilig_web
    USING (EXISTS (SELECT FROM deadline d WHERE d.id = deadline_id));
CREATE POLICY of_visit_new ON deadline_entry FOR INSERT TO veilig_web WITH CHECK (true);
CREATE FUNCTION entry_within_reach() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM deadline d WHERE d.id = NEW.deadline_id) THEN
        RAISE EXCEPTION 'an entry belongs to a deadline within reach' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_within_reach AFTER INSERT ON deadline_entry
    FOR EACH ROW WHEN (current_user = 'veilig_web') EXECUTE FUNCTION entry_within_reach();

-- Staff: everybody of the region may know his colleagues; nobody reads a password through a screen.
SELECT secure_table('staff', 'open', 'SELECT (id)');
GRANT SELECT (id, region_id, team_id, username, name, role, active, created_at) ON staff TO veilig_web;

-- What workers must not do either.
REVOKE INSERT, UPDATE, DELETE ON audit_entry, audit_head, message, region, staff, sender, access_grant FROM veilig_worker;
REVOKE ALL ON staff_session, sender_token FROM veilig_worker;
GRANT INSERT ON message TO veilig_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON heartbeat TO veilig_worker;
GRANT SELECT ON alembic_version TO veilig_web, veilig_door, veilig_worker;

-- ── the door: it stores what comes in and finds out who asks; it reads no report ─────────────────────────────

CREATE FUNCTION at_the_door(name text, rights text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP POLICY IF EXISTS of_door ON %I', name);
    EXECUTE format('CREATE POLICY of_door ON %I TO veilig_door USING (true) WITH CHECK (true)', name);
    EXECUTE format('GRANT %s ON %I TO veilig_door', rights, name);
END $$;
REVOKE EXECUTE ON FUNCTION at_the_door FROM PUBLIC;
COMMENT ON FUNCTION at_the_door IS 'what may be done with a table before it is known who asks';

SELECT at_the_door(name, rights) FROM (VALUES
    ('region', 'SELECT'), ('sender', 'SELECT'), ('sender_token', 'SELECT'), ('staff', 'SELECT, UPDATE (password_hash)'),
    ('staff_session', 'SELECT, INSERT, UPDATE'), ('handover_invite', 'SELECT, UPDATE'),
    ('handover', 'SELECT (id, region_id, team_id, state)'), ('team', 'SELECT'),
    ('message', 'INSERT, SELECT (id, region_id, sender_id, channel, reference, received_at, content_sha256, outcome,'
        ' standard, answer_status, answer_type, answer)'),
    ('report', 'INSERT, SELECT (id, region_id, message_id, sender_id, reference_of_reporter, received_at, state,'
        ' linked_at, remarks)'),
    ('mention', 'INSERT'), ('quarantine', 'INSERT, SELECT (id, message_id, code, resolved_at)'),
    ('deadline', 'INSERT, SELECT'), ('deadline_entry', 'INSERT'), ('task', 'INSERT, SELECT'),
    ('job', 'INSERT, SELECT'), ('outgoing_reply', 'INSERT, SELECT (id, message_id, kind, sent_at)')
) AS t (name, rights);
GRANT SELECT ON heartbeat TO veilig_door;
CREATE POLICY of_door ON feedback TO veilig_door
    USING (state IN ('released', 'sent') AND channel IN ('corv', 'json')) WITH CHECK (state = 'sent');
GRANT SELECT, UPDATE (state, sent_at) ON feedback TO veilig_door;

-- These keep the tables whole, whoever changes them: they see every row.
ALTER FUNCTION audit_append(uuid, text, text, text, uuid, jsonb, text) SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION report_begins() SECURITY DEFINER SET search_path = public, pg_temp;
-- At the commit the row as it then is counts: a term that moved twice in one transaction has two entries.
CREATE OR REPLACE FUNCTION deadline_needs_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM deadline d JOIN deadline_entry e ON e.deadline_id = d.id AND e.due_at = d.due_at
            AND e.norm_due_on = d.norm_due_on AND e.legal_due_on = d.legal_due_on
        WHERE d.id = NEW.id AND e.number = (SELECT max(number) FROM deadline_entry m WHERE m.deadline_id = d.id)
    ) THEN
        RAISE EXCEPTION 'a deadline moves by a ledger entry only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
ALTER FUNCTION deadline_needs_entry() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION watch_unbroken() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION report_moves_by_step() SECURITY DEFINER SET search_path = public, pg_temp;
