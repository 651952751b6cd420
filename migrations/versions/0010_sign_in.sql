-- Signing in. What proves who somebody is (password, second factor, link) is read and written at the door only; the
-- screens see that it is there, and when it was used.

-- An account may do without a password: one that signs in at the organisation's own provider, or is not set up yet.
ALTER TABLE staff
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD COLUMN oidc_subject text UNIQUE CHECK (oidc_subject <> '');
COMMENT ON COLUMN staff.oidc_subject IS 'how the OIDC provider of this installation names this member';

-- A session from before was made with a password alone, and ends here.
UPDATE staff_session SET ended_at = now() WHERE ended_at IS NULL;
ALTER TABLE staff_session
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    ADD COLUMN how text NOT NULL DEFAULT 'password'
        CHECK (how IN ('password', 'password+totp', 'passkey', 'oidc', 'demo')),
    ADD COLUMN origin text NOT NULL DEFAULT '' CHECK (length(origin) <= 60),
    ADD COLUMN place text NOT NULL DEFAULT '' CHECK (length(place) <= 60);
ALTER TABLE staff_session ALTER COLUMN how DROP DEFAULT;
COMMENT ON COLUMN staff_session.how IS 'how he proved who he is; password alone is from before second factors';
COMMENT ON COLUMN staff_session.place IS 'kind of browser, to recognise a session of one''s own';

CREATE TABLE second_factor (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    kind text NOT NULL CHECK (kind IN ('totp', 'passkey')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    secret bytea,
    last_step bigint,
    credential_id bytea UNIQUE,
    public_key bytea,
    sign_count bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    used_at timestamptz,
    ended_at timestamptz,
    ended_by text,
    CHECK ((secret IS NOT NULL) = (kind = 'totp' AND ended_at IS NULL)),
    CHECK ((kind = 'passkey') = (num_nonnulls(credential_id, public_key, sign_count) = 3)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX second_factor_one_begun ON second_factor (staff_id) WHERE confirmed_at IS NULL AND ended_at IS NULL;
CREATE INDEX second_factor_staff ON second_factor (staff_id) WHERE ended_at IS NULL;
COMMENT ON COLUMN second_factor.secret IS 'of an authenticator app, sealed (core.sealing); gone when the factor ends';
COMMENT ON COLUMN second_factor.last_step IS 'the step of 30 s of the last code taken: no code counts twice';
COMMENT ON COLUMN second_factor.confirmed_at IS 'when the member proved that he has it; it counts from then on';

CREATE TABLE sign_in_attempt (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    region_id uuid,
    staff_id uuid REFERENCES staff,
    name_hash bytea CHECK (length(name_hash) = 32),
    device_hash bytea CHECK (length(device_hash) = 32),
    origin text NOT NULL CHECK (length(origin) <= 60),
    place text NOT NULL CHECK (length(place) <= 60),
    step text NOT NULL CHECK (step IN ('password', 'code', 'passkey', 'oidc', 'confirm')),
    outcome text NOT NULL DEFAULT 'open' CHECK (outcome IN ('open', 'ok', 'refused', 'held'))
);
CREATE INDEX sign_in_attempt_name ON sign_in_attempt (name_hash, at) WHERE outcome <> 'ok';
CREATE INDEX sign_in_attempt_origin ON sign_in_attempt (origin, at) WHERE outcome <> 'ok';
CREATE INDEX sign_in_attempt_device ON sign_in_attempt (device_hash, at) WHERE outcome <> 'ok';
CREATE INDEX sign_in_attempt_staff ON sign_in_attempt (staff_id, at);
CREATE INDEX sign_in_attempt_at ON sign_in_attempt (at);
COMMENT ON COLUMN sign_in_attempt.name_hash IS 'keyed hash of the name typed: people type passwords in the wrong field';
COMMENT ON COLUMN sign_in_attempt.outcome IS 'open: being checked, counts as refused; held: had to wait';

CREATE TABLE staff_device (
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    origin text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (staff_id, token_hash)
);
COMMENT ON TABLE staff_device IS 'browsers from which a member signed in: the failures of others never hold him up there';

CREATE TABLE sign_up (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    failures smallint NOT NULL DEFAULT 0,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    used_at timestamptz CHECK (used_at = ended_at)
);
CREATE UNIQUE INDEX sign_up_one_open ON sign_up (staff_id) WHERE ended_at IS NULL;
COMMENT ON TABLE sign_up IS 'a link and a code with which a member sets his own password, once';

CREATE TABLE sign_in_reset (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    started_by uuid NOT NULL REFERENCES staff CHECK (started_by <> staff_id),
    started_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    confirmed_by uuid REFERENCES staff CHECK (confirmed_by NOT IN (started_by, staff_id)),
    confirmed_at timestamptz CHECK (confirmed_at = ended_at),
    told_at timestamptz,
    CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL))
);
CREATE UNIQUE INDEX sign_in_reset_one_open ON sign_in_reset (staff_id) WHERE ended_at IS NULL;
COMMENT ON TABLE sign_in_reset IS
    'recovery by two persons: one starts it and has the code, another confirms it and has the link; told to the member';

CREATE TABLE staff_change (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    role text NOT NULL,
    team_id uuid REFERENCES team,
    active boolean NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX staff_change_staff ON staff_change (staff_id, changed_at);
CREATE TRIGGER staff_change_append_only BEFORE UPDATE OR DELETE ON staff_change
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE staff_change IS 'what a member''s rights became, by whom and why';

CREATE TABLE spent_ticket (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spent_ticket_at ON spent_ticket (at);
COMMENT ON TABLE spent_ticket IS 'short-lived signed tickets (OIDC states, passkey challenges, half sign-ins) that were used';

-- ── who may do it ────────────────────────────────────────────────────────────────────────────────────────────

SELECT secure_table('second_factor', 'own',
    'SELECT (id, region_id, staff_id, kind, name, created_at, confirmed_at, used_at, ended_at)');
SELECT secure_table('sign_in_attempt', 'own', 'SELECT');
SELECT secure_table('staff_device', 'closed');
SELECT secure_table('sign_up', 'region',
    'SELECT (id, region_id, staff_id, made_at, ends_at, ended_at, used_at), INSERT, UPDATE (ended_at)');
SELECT secure_table('sign_in_reset', 'region',
    'SELECT (id, region_id, staff_id, reason, started_by, started_at, ends_at, ended_at, confirmed_by, confirmed_at, '
    'told_at), INSERT, UPDATE (told_at, ended_at)');
SELECT secure_table('staff_change', 'region', 'SELECT, INSERT');
SELECT secure_table('spent_ticket', 'closed');

SELECT at_the_door(name, rights) FROM (VALUES
    ('staff', 'SELECT, UPDATE (password_hash)'), ('staff_session', 'SELECT, INSERT, UPDATE'),
    ('second_factor', 'SELECT, INSERT, UPDATE'), ('sign_in_attempt', 'SELECT, INSERT, UPDATE'),
    ('staff_device', 'SELECT, INSERT, UPDATE'), ('sign_up', 'SELECT, UPDATE (failures, used_at, ended_at)'),
    ('sign_in_reset', 'SELECT'), ('spent_ticket', 'SELECT, INSERT')
) AS t (name, rights);

-- Workers clear away what is old, and need nothing else here.
REVOKE ALL ON second_factor, staff_device, sign_up, sign_in_reset, staff_change, sign_in_attempt, spent_ticket
    FROM veilig_worker;
GRANT SELECT (at), DELETE ON sign_in_attempt, spent_ticket TO veilig_worker;
GRANT SELECT (seen_at), DELETE ON staff_device TO veilig_worker;

-- A screen can end a session, and do nothing else with one.
REVOKE UPDATE ON staff_session FROM veilig_web;
GRANT UPDATE (ended_at) ON staff_session TO veilig_web;

GRANT SELECT (oidc_subject), INSERT (id, region_id, team_id, username, name, role, oidc_subject),
    UPDATE (team_id, role, active) ON staff TO veilig_web;
CREATE POLICY added_by_administrator ON staff AS RESTRICTIVE FOR INSERT TO veilig_web
    WITH CHECK ((SELECT visit_role()) = 'administrator');
CREATE POLICY changed_by_manager ON staff AS RESTRICTIVE FOR UPDATE TO veilig_web
    USING ((SELECT visit_role()) IN ('administrator', 'team_lead') AND id <> (SELECT visit_staff()));
CREATE POLICY seen_by_manager ON sign_up AS RESTRICTIVE FOR SELECT TO veilig_web
    USING ((SELECT visit_role()) IN ('administrator', 'team_lead'));
CREATE POLICY made_by_administrator ON sign_up AS RESTRICTIVE FOR INSERT TO veilig_web
    WITH CHECK ((SELECT visit_role()) = 'administrator' AND staff_id <> (SELECT visit_staff()));
CREATE POLICY ended_by_administrator ON sign_up AS RESTRICTIVE FOR UPDATE TO veilig_web
    USING ((SELECT visit_role()) = 'administrator');
CREATE POLICY seen_by_manager ON sign_in_reset AS RESTRICTIVE FOR SELECT TO veilig_web
    USING (staff_id = (SELECT visit_staff()) OR (SELECT visit_role()) IN ('administrator', 'team_lead'));
CREATE POLICY started_by_administrator ON sign_in_reset AS RESTRICTIVE FOR INSERT TO veilig_web
    WITH CHECK ((SELECT visit_role()) = 'administrator' AND started_by = (SELECT visit_staff())
        AND confirmed_by IS NULL);
CREATE POLICY made_by_manager ON staff_change AS RESTRICTIVE FOR INSERT TO veilig_web
    WITH CHECK ((SELECT visit_role()) IN ('administrator', 'team_lead'));

CREATE FUNCTION managed_member(member uuid) RETURNS staff
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me visit := visit();
    found staff;
BEGIN
    SELECT * INTO found FROM staff WHERE id = member AND region_id = me.region_id
        AND me.role IN ('administrator', 'team_lead');
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'not a member that this visitor manages' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN found;
END $$;
REVOKE EXECUTE ON FUNCTION managed_member FROM PUBLIC;

CREATE FUNCTION end_sessions_of(member uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ended integer;
BEGIN
    PERFORM managed_member(member);
    UPDATE staff_session SET ended_at = now() WHERE staff_id = member AND ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;
COMMENT ON FUNCTION end_sessions_of IS 'a lead or an administrator ends every session of a member at once';

CREATE FUNCTION confirm_reset(reset uuid, link_hash bytea, until timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me uuid := visit_staff();
    found sign_in_reset;
BEGIN
    UPDATE sign_in_reset SET confirmed_by = me, confirmed_at = now(), ended_at = now()
    WHERE id = reset AND ended_at IS NULL AND ends_at > now() RETURNING * INTO found;
    IF found.id IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM managed_member(found.staff_id);
    UPDATE staff_session SET ended_at = now() WHERE staff_id = found.staff_id AND ended_at IS NULL;
    UPDATE second_factor SET ended_at = now(), ended_by = 'reset', secret = NULL
    WHERE staff_id = found.staff_id AND ended_at IS NULL;
    UPDATE staff SET password_hash = NULL WHERE id = found.staff_id;
    UPDATE sign_up SET ended_at = now() WHERE staff_id = found.staff_id AND ended_at IS NULL;
    -- The link is the confirmer's, the code that of who started: the member needs both.
    INSERT INTO sign_up (id, region_id, staff_id, token_hash, code_hash, made_by, ends_at)
    VALUES (found.id, found.region_id, found.staff_id, link_hash, found.code_hash, 'reset', until);
    RETURN found.staff_id;
END $$;
COMMENT ON FUNCTION confirm_reset IS
    'the second person: everything that let this member in ends, and a link to begin anew is made; NULL: nothing open';

CREATE FUNCTION staff_overview()
    RETURNS TABLE (staff_id uuid, factors integer, sessions integer, last_sign_in timestamptz, invited_until timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me visit := visit();
BEGIN
    IF me.role IS NULL OR me.role NOT IN ('administrator', 'team_lead') THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT s.id,
        (SELECT count(*)::integer FROM second_factor f
            WHERE f.staff_id = s.id AND f.ended_at IS NULL AND f.confirmed_at IS NOT NULL),
        (SELECT count(*)::integer FROM staff_session t
            WHERE t.staff_id = s.id AND t.ended_at IS NULL AND t.idle_until > now() AND t.ends_at > now()),
        (SELECT max(t.started_at) FROM staff_session t WHERE t.staff_id = s.id),
        (SELECT u.ends_at FROM sign_up u WHERE u.staff_id = s.id AND u.ended_at IS NULL AND u.ends_at > now())
    FROM staff s WHERE s.region_id = me.region_id;
END $$;
COMMENT ON FUNCTION staff_overview IS 'for who manages a region: that a member has proofs and sessions, never what they are';
