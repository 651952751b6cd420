-- Municipalities, and every change of a register: who, when, what it was and what it became. The database itself writes
-- the change down, whoever makes it; an administrator of the region may make it, and nobody else of the screens.

-- ── municipalities: data of the operator, with validity and successor ────────────────────────────────────────

CREATE TABLE municipality (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    code text NOT NULL CHECK (code ~ '^[0-9]{4}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    valid_from date NOT NULL,
    valid_until date CHECK (valid_until >= valid_from),
    successor text CHECK (successor ~ '^[0-9]{4}$' AND successor <> code),
    UNIQUE (code, valid_from)
);
COMMENT ON COLUMN municipality.code IS 'of RvIG table 33';
COMMENT ON COLUMN municipality.valid_until IS 'its last day';
COMMENT ON COLUMN municipality.successor IS 'the code of the municipality that it went into';
CREATE INDEX municipality_region ON municipality (region_id);

-- One code is one municipality at a time, in all regions together.
CREATE FUNCTION municipality_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('municipality ' || NEW.code));
    IF EXISTS (SELECT FROM municipality m WHERE m.code = NEW.code AND m.id <> NEW.id
        AND daterange(m.valid_from, m.valid_until, '[]') && daterange(NEW.valid_from, NEW.valid_until, '[]')) THEN
        RAISE EXCEPTION 'this code is a municipality already in this period' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER municipality_once BEFORE INSERT OR UPDATE ON municipality
    FOR EACH ROW EXECUTE FUNCTION municipality_once();
SELECT secure_table('municipality', 'open', 'SELECT');
SELECT at_the_door('municipality', 'SELECT');

-- ── what the other registers lacked ──────────────────────────────────────────────────────────────────────────

ALTER TABLE region ADD COLUMN phone text CHECK (length(phone) BETWEEN 1 AND 30);
COMMENT ON COLUMN region.phone IS 'where people reach this region: for letters and public pages';
ALTER TABLE team ADD COLUMN successor_id uuid REFERENCES team CHECK (successor_id <> id);
COMMENT ON COLUMN team.successor_id IS 'who takes over, after its last day, what then still lies with it';

-- ── every change, kept ───────────────────────────────────────────────────────────────────────────────────────

-- A content that somebody works on or brought as a file: looked at first, then put in force whole, or not at all.
CREATE TABLE register_draft (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    register text NOT NULL,
    lines jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    rehearsal jsonb,
    rehearsed_version integer,
    ended_at timestamptz,
    ended_by text,
    outcome text CHECK (outcome IN ('applied', 'dropped')),
    CHECK (num_nulls(ended_at, ended_by, outcome) IN (0, 3))
);
CREATE UNIQUE INDEX register_draft_one ON register_draft (region_id, register) WHERE ended_at IS NULL;
COMMENT ON COLUMN register_draft.rehearsal IS 'what its lines would have done with the reports of the last months';
COMMENT ON COLUMN register_draft.rehearsed_version IS 'the version that was rehearsed: only that one is put in force';
SELECT secure_table('register_draft', 'region', 'SELECT, INSERT');
GRANT UPDATE (lines, version, rehearsal, rehearsed_version, ended_at, ended_by, outcome) ON register_draft TO veilig_web;

CREATE TABLE register_change (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    kind text NOT NULL CHECK (kind IN ('region', 'team', 'municipality', 'service_area', 'sender')),
    object_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    before jsonb,
    after jsonb NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    rehearsal uuid REFERENCES register_draft,
    undoes uuid REFERENCES register_change,
    UNIQUE (kind, object_id, version)
);
CREATE INDEX register_change_at ON register_change (region_id, at DESC, id DESC);
COMMENT ON COLUMN register_change.rehearsal IS 'the draft or file that it came from';
CREATE TRIGGER register_change_append_only BEFORE UPDATE OR DELETE ON register_change
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER register_change_no_truncate BEFORE TRUNCATE ON register_change EXECUTE FUNCTION refuse_change();
SELECT secure_table('register_change', 'region', 'SELECT');
REVOKE INSERT, UPDATE, DELETE ON register_change FROM veilig_worker;
REVOKE INSERT, UPDATE, DELETE ON register_draft FROM veilig_worker;

CREATE FUNCTION register_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    was jsonb := '{}';
    now_is jsonb := '{}';
    field text;
    whole jsonb := to_jsonb(NEW);
    earlier jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) END;
    who text;
BEGIN
    FOREACH field IN ARRAY TG_ARGV LOOP
        now_is := now_is || jsonb_build_object(field, whole -> field);
        was := was || jsonb_build_object(field, earlier -> field);
    END LOOP;
    IF TG_OP = 'UPDATE' AND was = now_is THEN
        RETURN NULL;
    END IF;
    IF coalesce(current_setting('veilig.key', true), '') <> '' THEN
        who := (SELECT username FROM staff WHERE id = visit_staff());
    END IF;
    INSERT INTO register_change (id, region_id, kind, object_id, version, before, after, by, at, rehearsal, undoes)
    SELECT gen_random_uuid(), CASE TG_TABLE_NAME WHEN 'region' THEN NEW.id ELSE (whole ->> 'region_id')::uuid END,
        TG_TABLE_NAME, NEW.id, coalesce(max(c.version), 0) + 1, CASE TG_OP WHEN 'UPDATE' THEN was END, now_is,
        coalesce(who, 'operator'), clock_timestamp(),
        nullif(current_setting('veilig.draft', true), '')::uuid, nullif(current_setting('veilig.undoes', true), '')::uuid
    FROM register_change c WHERE c.kind = TG_TABLE_NAME AND c.object_id = NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION register_changed IS 'writes each change of a register down; its arguments are the columns that count';

-- What there was already, as it stands now.
INSERT INTO register_change (id, region_id, kind, object_id, version, after, by, at)
SELECT gen_random_uuid(), id, 'region', id, 1, jsonb_build_object('name', name, 'oin', oin, 'application', application,
    'phone', phone, 'legal_form', legal_form, 'acute_check_minutes', acute_check_minutes), 'system', now() FROM region
UNION ALL
SELECT gen_random_uuid(), region_id, 'team', id, 1, jsonb_build_object('name', name, 'kind', kind, 'phone', phone,
    'oin', oin, 'delivery_url', delivery_url, 'valid_from', valid_from, 'valid_to', valid_to,
    'successor_id', successor_id), 'system', now() FROM team
UNION ALL
SELECT gen_random_uuid(), region_id, 'service_area', id, 1, jsonb_build_object('municipality', municipality,
    'place', place, 'postcode_from', postcode_from, 'postcode_to', postcode_to, 'team_id', team_id,
    'partner_id', partner_id, 'valid_from', valid_from, 'valid_to', valid_to), 'system', now() FROM service_area
UNION ALL
SELECT gen_random_uuid(), region_id, 'sender', id, 1, jsonb_build_object('name', name, 'oin', oin, 'kind', kind,
    'certificate_sha256', certificate_sha256, 'reply_url', reply_url, 'team_id', team_id, 'revoked_at', revoked_at),
    'system', now() FROM sender WHERE NOT own;

CREATE TRIGGER register_changed AFTER INSERT OR UPDATE ON region FOR EACH ROW EXECUTE FUNCTION
    register_changed('name', 'oin', 'application', 'phone', 'legal_form', 'acute_check_minutes');
CREATE TRIGGER register_changed AFTER INSERT OR UPDATE ON team FOR EACH ROW EXECUTE FUNCTION
    register_changed('name', 'kind', 'phone', 'oin', 'delivery_url', 'valid_from', 'valid_to', 'successor_id');
CREATE TRIGGER register_changed AFTER INSERT OR UPDATE ON municipality FOR EACH ROW EXECUTE FUNCTION
    register_changed('code', 'name', 'valid_from', 'valid_until', 'successor');
CREATE TRIGGER register_changed AFTER INSERT OR UPDATE ON service_area FOR EACH ROW EXECUTE FUNCTION
    register_changed('municipality', 'place', 'postcode_from', 'postcode_to', 'team_id', 'partner_id', 'valid_from',
        'valid_to');
CREATE TRIGGER register_changed AFTER INSERT OR UPDATE ON sender FOR EACH ROW WHEN (NOT NEW.own) EXECUTE FUNCTION
    register_changed('name', 'oin', 'kind', 'certificate_sha256', 'reply_url', 'team_id', 'revoked_at');

-- ── what a screen may change, and who on that screen ─────────────────────────────────────────────────────────

GRANT UPDATE (name, oin, application, phone) ON region TO veilig_web;
GRANT INSERT (id, region_id, name, kind, phone, oin, delivery_url, valid_from, valid_to, successor_id),
    UPDATE (name, phone, oin, delivery_url, valid_from, valid_to, successor_id) ON team TO veilig_web;
GRANT INSERT, UPDATE (name, valid_from, valid_until, successor) ON municipality TO veilig_web;
GRANT INSERT, UPDATE (municipality, place, postcode_from, postcode_to, team_id, partner_id, valid_from, valid_to)
    ON service_area TO veilig_web;
GRANT INSERT (id, region_id, oin, name, kind, certificate_sha256, reply_url, team_id),
    UPDATE (name, kind, certificate_sha256, reply_url, team_id, revoked_at) ON sender TO veilig_web;
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['region', 'team', 'municipality', 'service_area', 'sender', 'register_draft'] LOOP
        EXECUTE format('CREATE POLICY added_by_administrator ON %I AS RESTRICTIVE FOR INSERT TO veilig_web
            WITH CHECK ((SELECT visit_role()) = ''administrator'')', one);
        EXECUTE format('CREATE POLICY changed_by_administrator ON %I AS RESTRICTIVE FOR UPDATE TO veilig_web
            USING ((SELECT visit_role()) = ''administrator'')', one);
    END LOOP;
END $$;
CREATE POLICY not_of_its_own ON sender AS RESTRICTIVE FOR UPDATE TO veilig_web USING (NOT own) WITH CHECK (NOT own);
CREATE POLICY seen_by_keeper ON register_draft AS RESTRICTIVE FOR SELECT TO veilig_web
    USING ((SELECT visit_role()) IN ('administrator', 'team_lead'));
CREATE POLICY seen_by_keeper ON register_change AS RESTRICTIVE FOR SELECT TO veilig_web
    USING ((SELECT visit_role()) IN ('administrator', 'team_lead'));

-- Who points a partner's messages elsewhere does not also say that it is the right place: somebody checks it anew.
CREATE FUNCTION partner_check_again() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO partner_check (id, region_id, team_id, verified_until, domain, domain_until, certificate_until, mailbox,
        how, checked_at, checked_by)
    SELECT gen_random_uuid(), c.region_id, c.team_id, least(c.verified_until, current_date - 1), c.domain,
        c.domain_until, c.certificate_until, c.mailbox, 'OIN of adres gewijzigd: controleer opnieuw', clock_timestamp(),
        'system'
    FROM partner_check c WHERE c.team_id = NEW.id ORDER BY c.checked_at DESC, c.id DESC LIMIT 1;
    RETURN NULL;
END $$;
CREATE TRIGGER partner_check_again AFTER UPDATE ON team FOR EACH ROW
    WHEN (current_user = 'veilig_web' AND NEW.kind <> 'veilig_thuis'
        AND (NEW.oin, NEW.delivery_url) IS DISTINCT FROM (OLD.oin, OLD.delivery_url))
    EXECUTE FUNCTION partner_check_again();

-- ── what still lies with a team ──────────────────────────────────────────────────────────────────────────────

CREATE FUNCTION register_keeper(asked uuid, keepers text[] DEFAULT '{administrator}') RETURNS boolean LANGUAGE plpgsql
    STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me visit;
BEGIN
    -- Commands and workers, which carry no key; never the web, whether it signs in as its role or acts as it.
    IF coalesce(current_setting('veilig.key', true), '') = '' AND session_user NOT IN ('veilig_web', 'veilig_door')
        AND current_setting('role') NOT IN ('veilig_web', 'veilig_door') THEN
        RETURN true;
    END IF;
    me := visit();
    RETURN coalesce(me.region_id = asked AND me.role = ANY (keepers), false);
END $$;
COMMENT ON FUNCTION register_keeper IS 'whether who asks may keep the registers of this region';

CREATE FUNCTION team_load(team uuid) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT jsonb_build_object(
        'tasks', (SELECT count(*) FROM task WHERE team_id = t.id AND done_at IS NULL),
        'cases', (SELECT count(*) FROM cases WHERE team_id = t.id AND closed_at IS NULL),
        'watches', (SELECT count(*) FROM safety_watch WHERE team_id = t.id AND until IS NULL),
        'staff', (SELECT count(*) FROM staff WHERE team_id = t.id AND active),
        'handovers', (SELECT count(*) FROM handover WHERE team_id = t.id AND state = 'offered'),
        'senders', (SELECT count(*) FROM sender WHERE team_id = t.id AND revoked_at IS NULL),
        'lines', (SELECT count(*) FROM service_area a WHERE t.id IN (a.team_id, a.partner_id)
            AND (a.valid_to IS NULL OR a.valid_to >= current_date)),
        'last_line', (SELECT max(coalesce(a.valid_to, 'infinity'))::text FROM service_area a
            WHERE t.id IN (a.team_id, a.partner_id)))
    FROM team t WHERE t.id = team_load.team AND register_keeper(t.region_id, '{administrator,team_lead}')
$$;
COMMENT ON FUNCTION team_load IS 'how much lies with a team, also what its administrator may not see itself';

-- After its last day a team of ours holds nothing: its successor does. Nothing is ever left without a holder.
CREATE FUNCTION settle_ended_teams(day date) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    one record;
    held record;
    moved integer := 0;
    load jsonb;
BEGIN
    FOR one IN SELECT t.id, t.region_id, t.name, t.successor_id, s.name AS successor FROM team t
        JOIN team s ON s.id = t.successor_id WHERE t.valid_to < day AND t.kind = 'veilig_thuis'
        AND register_keeper(t.region_id) ORDER BY t.valid_to, t.id
    LOOP
        SELECT jsonb_build_object(
            'tasks', (SELECT count(*) FROM task WHERE team_id = one.id AND done_at IS NULL),
            'cases', (SELECT count(*) FROM cases WHERE team_id = one.id AND closed_at IS NULL),
            'watches', (SELECT count(*) FROM safety_watch WHERE team_id = one.id AND until IS NULL),
            'staff', (SELECT count(*) FROM staff WHERE team_id = one.id AND active)) INTO load;
        CONTINUE WHEN load = '{"tasks": 0, "cases": 0, "watches": 0, "staff": 0}';
        UPDATE task SET team_id = one.successor_id, team_since = now() WHERE team_id = one.id AND done_at IS NULL;
        UPDATE cases SET team_id = one.successor_id WHERE team_id = one.id AND closed_at IS NULL;
        FOR held IN UPDATE safety_watch SET until = greatest(now(), since)
            WHERE team_id = one.id AND until IS NULL RETURNING region_id, case_id, holder, until
        LOOP
            INSERT INTO safety_watch (id, region_id, case_id, holder, team_id, since, reason) VALUES (gen_random_uuid(),
                held.region_id, held.case_id, held.holder, one.successor_id, held.until, format('%s is opgegaan in %s',
                one.name, one.successor));
            PERFORM audit_append(held.region_id, 'system', 'watch.give', 'case', held.case_id,
                jsonb_build_object('holder', held.holder, 'team', one.successor_id));
        END LOOP;
        INSERT INTO staff_change (id, region_id, staff_id, role, team_id, active, reason, changed_by)
        SELECT gen_random_uuid(), region_id, id, role, one.successor_id, active, format('%s is opgegaan in %s', one.name,
            one.successor), 'system' FROM staff WHERE team_id = one.id AND active;
        UPDATE staff SET team_id = one.successor_id WHERE team_id = one.id AND active;
        PERFORM audit_append(one.region_id, 'system', 'team.settle', 'team', one.id, load);
        moved := moved + 1;
    END LOOP;
    RETURN moved;
END $$;
COMMENT ON FUNCTION settle_ended_teams IS 'gives what lies with teams that ended before this day to their successors';

CREATE FUNCTION team_ends_empty() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.kind = 'veilig_thuis' AND NEW.successor_id IS NULL AND (
            EXISTS (SELECT FROM task WHERE team_id = NEW.id AND done_at IS NULL)
            OR EXISTS (SELECT FROM cases WHERE team_id = NEW.id AND closed_at IS NULL)
            OR EXISTS (SELECT FROM staff WHERE team_id = NEW.id AND active))
        OR NEW.kind <> 'veilig_thuis' AND (
            EXISTS (SELECT FROM handover WHERE team_id = NEW.id AND state = 'offered')
            OR EXISTS (SELECT FROM safety_watch WHERE team_id = NEW.id AND until IS NULL)) THEN
        RAISE EXCEPTION 'a team does not end while work lies with it and nobody takes over'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER team_ends_empty AFTER UPDATE ON team FOR EACH ROW
    WHEN (current_user = 'veilig_web' AND NEW.valid_to IS NOT NULL AND (NEW.valid_to, NEW.successor_id)
        IS DISTINCT FROM (OLD.valid_to, OLD.successor_id))
    EXECUTE FUNCTION team_ends_empty();

-- ── tokens of senders, and what they sent ────────────────────────────────────────────────────────────────────

CREATE FUNCTION sender_token_add(sender uuid, token uuid, hash bytea, keep interval DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT coalesce((SELECT register_keeper(s.region_id) FROM sender s WHERE s.id = sender AND s.revoked_at IS NULL),
        false) THEN
        RAISE EXCEPTION 'not a sender that this visitor keeps' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE sender_token SET expires_at = least(expires_at, now() + keep)
    WHERE sender_id = sender AND revoked_at IS NULL AND keep IS NOT NULL;
    INSERT INTO sender_token (id, sender_id, token_hash) VALUES (token, sender, hash);
END $$;
COMMENT ON FUNCTION sender_token_add IS 'a new token, as its hash; the earlier ones stay good for `keep`';

CREATE FUNCTION sender_tokens_end(sender uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT coalesce((SELECT register_keeper(s.region_id) FROM sender s WHERE s.id = sender), false) THEN
        RAISE EXCEPTION 'not a sender that this visitor keeps' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE sender_token SET revoked_at = now() WHERE sender_id = sender AND revoked_at IS NULL;
END $$;

CREATE FUNCTION sender_facts(region uuid, since timestamptz)
    RETURNS TABLE (sender_id uuid, tokens bigint, token_until timestamptz, reports bigint, quarantined bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, (SELECT count(*) FROM sender_token t WHERE t.sender_id = s.id AND t.revoked_at IS NULL
            AND coalesce(t.expires_at, 'infinity') > now()),
        (SELECT max(t.expires_at) FROM sender_token t WHERE t.sender_id = s.id AND t.revoked_at IS NULL
            AND t.expires_at > now()),
        count(m.id) FILTER (WHERE m.outcome = 'report'), count(m.id) FILTER (WHERE m.outcome = 'quarantine')
    FROM sender s LEFT JOIN message m ON m.sender_id = s.id AND m.received_at >= since
    WHERE s.region_id = region AND NOT s.own AND register_keeper(region, '{administrator,team_lead}')
    GROUP BY s.id
$$;
COMMENT ON FUNCTION sender_facts IS 'per sender its working tokens, until when an old one still works, and what it sent';

-- ── where the reports of the last months came from, for a rehearsal of the routing ───────────────────────────

CREATE FUNCTION routing_addresses(region uuid, since timestamptz) RETURNS TABLE (addresses jsonb, reports bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT known, count(*) FROM (
        SELECT r.id, coalesce(jsonb_agg(jsonb_build_object('soort', a ->> 'soort',
            'postcode', substr(a ->> 'postcode', 1, 4), 'woonplaats', a ->> 'woonplaats') ORDER BY m.number, n)
            FILTER (WHERE a IS NOT NULL), '[]') AS known
        FROM report r LEFT JOIN mention m ON m.report_id = r.id
        LEFT JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(m.person -> 'adressen') WHEN 'array'
            THEN m.person -> 'adressen' END) WITH ORDINALITY AS x (a, n) ON true
        WHERE r.region_id = routing_addresses.region AND r.received_at >= since
            AND register_keeper(routing_addresses.region)
        GROUP BY r.id) AS each_report
    GROUP BY known
$$;
COMMENT ON FUNCTION routing_addresses IS
    'places and the digits of postcodes of reports, and of how many reports: not of which, nor of whom';

REVOKE EXECUTE ON FUNCTION register_changed, partner_check_again, register_keeper, team_load, settle_ended_teams,
    team_ends_empty, sender_token_add, sender_tokens_end, sender_facts, routing_addresses, municipality_once FROM PUBLIC;
GRANT EXECUTE ON FUNCTION team_load, sender_token_add, sender_tokens_end, sender_facts, routing_addresses,
    settle_ended_teams TO veilig_web;
GRANT EXECUTE ON FUNCTION settle_ended_teams TO veilig_worker;
