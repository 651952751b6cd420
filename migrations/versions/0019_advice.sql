-- Advice: whoever asks keeps the responsibility, so nothing here is about a family (Wmo 2015 art. 5.1.6 lid 3). What was
-- asked and advised is sealed, and no table of reports, persons or cases refers to it or is referred to.

CREATE TABLE advice_number (
    region_id uuid NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    PRIMARY KEY (region_id, year)
);
CREATE TABLE advice (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    number text NOT NULL,
    way text NOT NULL CHECK (way IN ('telefoon', 'balie', 'chat', 'formulier')),
    capacity text NOT NULL,
    occasions text[] NOT NULL CHECK (occasions <> '{}'),
    natures text[] NOT NULL,
    asked_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    given_at timestamptz,
    given_by text,
    minutes smallint CHECK (minutes BETWEEN 0 AND 600),
    follow_up_on date,
    previous_id uuid REFERENCES advice ON DELETE SET NULL,
    finds smallint NOT NULL DEFAULT 0,
    sealed bytea NOT NULL CHECK (is_sealed(sealed)),
    converted_on date,
    UNIQUE (region_id, number),
    CHECK ((given_at IS NULL) = (given_by IS NULL))
);
CREATE INDEX advice_asked ON advice (region_id, asked_at DESC, id);
CREATE INDEX advice_open ON advice (region_id, asked_at) WHERE given_at IS NULL;
CREATE INDEX advice_follow_up ON advice (region_id, follow_up_on) WHERE follow_up_on IS NOT NULL;
CREATE INDEX advice_previous ON advice (previous_id);
COMMENT ON COLUMN advice.sealed IS 'sealed by the data key of this advice: what was asked and advised, and why a find was kept';
COMMENT ON COLUMN advice.finds IS 'what looked like personal data and was kept by a person, with his reason';
COMMENT ON COLUMN advice.given_at IS 'none: a question by the form on the site that nobody answered yet';
COMMENT ON COLUMN advice.converted_on IS
    'the day on which it became a report; not which: that would make a way from an advice to a family';

CREATE FUNCTION advice_numbered() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    this integer := extract(year FROM NEW.asked_at AT TIME ZONE 'Europe/Amsterdam');
BEGIN
    INSERT INTO advice_number VALUES (NEW.region_id, this, 0) ON CONFLICT DO NOTHING;
    -- Who is second waits here, and then finds the row of who was first: the same id stores nothing twice.
    PERFORM FROM advice_number WHERE region_id = NEW.region_id AND year = this FOR UPDATE;
    IF EXISTS (SELECT FROM advice WHERE id = NEW.id) THEN
        RETURN NULL;
    END IF;
    UPDATE advice_number SET last = last + 1 WHERE region_id = NEW.region_id AND year = this
        RETURNING format('AD-%s-%s', this, lpad(last::text, 6, '0')) INTO NEW.number;
    RETURN NEW;
END $$;
CREATE TRIGGER advice_numbered BEFORE INSERT ON advice FOR EACH ROW EXECUTE FUNCTION advice_numbered();

CREATE FUNCTION advice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - '{sealed,finds,given_at,given_by,minutes,follow_up_on,previous_id,converted_on}'::text[] <>
        to_jsonb(OLD) - '{sealed,finds,given_at,given_by,minutes,follow_up_on,previous_id,converted_on}'::text[]
        OR OLD.given_at IS NOT NULL AND (NEW.given_at, NEW.given_by) IS DISTINCT FROM (OLD.given_at, OLD.given_by)
        OR OLD.converted_on IS NOT NULL AND NEW.converted_on IS DISTINCT FROM OLD.converted_on
        OR NEW.previous_id IS DISTINCT FROM OLD.previous_id AND NEW.previous_id IS NOT NULL THEN
        RAISE EXCEPTION 'of an advice only the answer is added' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER advice_stays BEFORE UPDATE ON advice FOR EACH ROW EXECUTE FUNCTION advice_stays();

CREATE TABLE advice_contact (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    advice_id uuid NOT NULL UNIQUE REFERENCES advice ON DELETE CASCADE,
    sealed bytea NOT NULL CHECK (is_sealed(sealed)),
    consent_at timestamptz NOT NULL
);
COMMENT ON TABLE advice_contact IS
    'how somebody who asked can be reached, because he agreed to that; its own key, its own, shorter term';

CREATE TABLE advice_chat (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    sender_id uuid NOT NULL REFERENCES sender,
    reference text NOT NULL CHECK (reference <> ''),
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    capacity text,
    occasions text[] NOT NULL DEFAULT '{}',
    natures text[] NOT NULL DEFAULT '{}',
    sealed bytea CHECK (is_sealed(sealed)),
    outcome text CHECK (outcome IN ('advice', 'nothing')),
    advice_id uuid REFERENCES advice ON DELETE SET NULL,
    done_at timestamptz,
    done_by text,
    UNIQUE (sender_id, reference),
    CHECK (num_nulls(outcome, done_at, done_by) IN (0, 3)),
    CHECK ((sealed IS NULL) = (done_at IS NOT NULL))
);
CREATE INDEX advice_chat_waiting ON advice_chat (region_id, received_at) WHERE done_at IS NULL;
COMMENT ON COLUMN advice_chat.fingerprint IS 'keyed hash of what was sent: the same again, or something else under its reference';
COMMENT ON COLUMN advice_chat.sealed IS 'what the asker volunteered, sealed by the data key of this chat; gone once a person has looked';

-- A call that began with an advice: only while the call is open, so before there is a report. When the call became one,
-- the advice gets the day, and what tied the two is gone. The trail keeps who did it, for who may read the trail.
CREATE TABLE advice_conversion (
    draft_id uuid PRIMARY KEY REFERENCES intake_draft,
    advice_id uuid NOT NULL REFERENCES advice ON DELETE CASCADE,
    region_id uuid NOT NULL
);
CREATE INDEX advice_conversion_advice ON advice_conversion (advice_id);
CREATE FUNCTION advice_converted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one uuid;
BEGIN
    DELETE FROM advice_conversion WHERE draft_id = NEW.id RETURNING advice_id INTO one;
    IF one IS NOT NULL AND NEW.outcome = 'report' THEN
        UPDATE advice SET converted_on = (NEW.done_at AT TIME ZONE 'Europe/Amsterdam')::date
            WHERE id = one AND converted_on IS NULL;
        IF FOUND THEN
            PERFORM audit_append(NEW.region_id, NEW.done_by, 'advice.converted', 'advice', one, '{}');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER advice_converted AFTER UPDATE OF done_at ON intake_draft
    FOR EACH ROW WHEN (NEW.done_at IS NOT NULL) EXECUTE FUNCTION advice_converted();

-- With a text goes its key, so that an older copy of the database cannot be read either.
CREATE FUNCTION advice_key_goes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.sealed IS NULL THEN
        DELETE FROM data_key WHERE id = OLD.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER advice_key_goes AFTER DELETE ON advice FOR EACH ROW EXECUTE FUNCTION advice_key_goes();
CREATE TRIGGER advice_contact_key_goes AFTER DELETE ON advice_contact FOR EACH ROW EXECUTE FUNCTION advice_key_goes();
CREATE TRIGGER advice_chat_key_goes AFTER UPDATE OR DELETE ON advice_chat FOR EACH ROW EXECUTE FUNCTION advice_key_goes();

-- A chat never becomes a report by itself.
ALTER TABLE report ADD CONSTRAINT report_not_by_chat CHECK (reporter_kind <> 'chat');

SELECT secure_table('advice_number', 'closed', '');
SELECT secure_table('advice', 'region', 'SELECT, INSERT, UPDATE (sealed, finds, given_at, given_by, minutes, follow_up_on,'
    ' converted_on)');
SELECT secure_table('advice_contact', 'region', 'SELECT, INSERT');
SELECT secure_table('advice_chat', 'region', 'SELECT, UPDATE (sealed, outcome, advice_id, done_at, done_by)');
SELECT secure_table('advice_conversion', 'region', 'SELECT, INSERT');
SELECT at_the_door(name, rights) FROM (VALUES ('advice', 'INSERT'), ('advice_contact', 'INSERT'),
    ('advice_chat', 'INSERT, SELECT (id, sender_id, reference, fingerprint)')) AS t (name, rights);

CREATE FUNCTION of_advice(name oid) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT name::regclass::text LIKE 'advice%' $$;
COMMENT ON FUNCTION of_advice IS 'whether this is a table of advice, for `veilig verify` (rule 7)';
