-- The vaults: what a copy of the database alone must not tell. Every `sealed` value is encrypted by core/sealing.py
-- with a key that is not in this database; what is here of a data key is wrapped by that key.

-- C1: data keys, the raw message, citizen service numbers and the reporter ────────────────────────────────────

CREATE TABLE data_key (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    kek text NOT NULL,
    wrapped bytea,
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
COMMENT ON TABLE data_key IS
    'the key of one message (its id) and all that came with it, wrapped by the key `kek` of the ring; without it that is gone';

CREATE FUNCTION is_sealed(value bytea) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT substring(value FROM 1 FOR 4) = '\x00767473' $$;
COMMENT ON FUNCTION is_sealed IS 'whether these bytes begin as core/sealing.py begins them';
CREATE FUNCTION is_plain_number(value text) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT regexp_replace(coalesce(value, ''), '[\s.-]', '', 'g') NOT IN ('', '000000000', '999999999') $$;
CREATE FUNCTION holds_plain_person(person jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT is_plain_number(person ->> 'bsn') OR coalesce(person -> 'rol' ->> 'code' = '391', false)
        AND NOT person ? 'inKluis' OR EXISTS (SELECT FROM jsonb_path_query(person, '$.relaties[*].persoon.bsn') v
            WHERE is_plain_number(v #>> '{}')) $$;
COMMENT ON FUNCTION holds_plain_person IS 'whether a mention holds a citizen service number, or a reporter, that is not sealed';
CREATE FUNCTION holds_plain_reporter(content jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(content -> 'melding' ? 'contact', false)
        OR coalesce(content #> '{bericht,zender}' ? 'gebruiker', false)
        OR EXISTS (SELECT FROM jsonb_path_query(content, '$.melding.informeringen[*].persoon.bsn') v
            WHERE is_plain_number(v #>> '{}')) $$;
COMMENT ON FUNCTION holds_plain_reporter IS 'whether a report holds who reported, or a number, that is not sealed';

-- The hash of the plain bytes stays; the bytes may be sealed, and be emptied once their key is destroyed.
CREATE FUNCTION message_stays() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'raw' = to_jsonb(OLD) - 'raw' AND (
        is_sealed(NEW.raw)
        OR NEW.raw = '' AND EXISTS (SELECT FROM data_key k WHERE k.id = NEW.id AND k.destroyed_at IS NOT NULL)
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a message is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP TRIGGER message_immutable ON message;
CREATE TRIGGER message_immutable BEFORE UPDATE OR DELETE ON message
    FOR EACH ROW EXECUTE FUNCTION message_stays();
-- Sealed bytes do not become smaller.
ALTER TABLE message ALTER COLUMN raw SET STORAGE EXTERNAL;
COMMENT ON COLUMN message.raw IS 'the bytes as they came, sealed by the data key; content_sha256 is of the plain bytes';

CREATE TABLE mention_secret (
    mention_id uuid PRIMARY KEY REFERENCES mention,
    region_id uuid NOT NULL,
    sealed bytea NOT NULL,
    bsn_key bytea CHECK (length(bsn_key) = 32)
);
COMMENT ON TABLE mention_secret IS
    'of a person concerned: the citizen service numbers; of somebody in the role of reporter all that tells who he is';
COMMENT ON COLUMN mention_secret.bsn_key IS 'keyed hash of the valid number of this person, to find it by';

CREATE TABLE reporter_secret (
    report_id uuid PRIMARY KEY REFERENCES report,
    region_id uuid NOT NULL,
    sealed bytea,
    numbers bytea,
    CHECK (num_nonnulls(sealed, numbers) > 0)
);
COMMENT ON COLUMN reporter_secret.sealed IS 'who reported: contact, user, and what else of the message names him';
COMMENT ON COLUMN reporter_secret.numbers IS 'the citizen service numbers of people that the report says were informed';

CREATE TABLE reporter_choice (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    report_id uuid NOT NULL REFERENCES report,
    stance text NOT NULL CHECK (stance IN ('open', 'secret')),
    ground text NOT NULL CHECK (ground <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    chosen_by text NOT NULL,
    chosen_at timestamptz NOT NULL,
    confirmed_by text CHECK (confirmed_by <> chosen_by),
    confirmed_at timestamptz,
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
);
CREATE INDEX reporter_choice_report ON reporter_choice (report_id, chosen_at DESC);
COMMENT ON TABLE reporter_choice IS
    'whether it may be told who reported, each choice with its ground; the latest counts, all stay';
CREATE FUNCTION choice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_at IS NOT NULL OR
        to_jsonb(NEW) - 'confirmed_by' - 'confirmed_at' <> to_jsonb(OLD) - 'confirmed_by' - 'confirmed_at' THEN
        RAISE EXCEPTION 'a choice is only confirmed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reporter_choice_stays BEFORE UPDATE ON reporter_choice FOR EACH ROW EXECUTE FUNCTION choice_stays();

SELECT secure_table('data_key', 'open', 'SELECT, INSERT');
SELECT secure_table('mention_secret', 'mention', 'SELECT');
SELECT secure_table('reporter_secret', 'report', 'SELECT');
SELECT secure_table('reporter_choice', 'report', 'SELECT, INSERT, UPDATE (confirmed_by, confirmed_at)');
SELECT at_the_door(name, 'INSERT') FROM unnest(ARRAY['data_key', 'mention_secret', 'reporter_secret']) AS t (name);

-- C2: whereabouts and marks ──────────────────────────────────────────────────────────────────────────────────

CREATE TABLE protection (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    mention_id uuid NOT NULL REFERENCES mention,
    person_id uuid REFERENCES person,
    with_id uuid REFERENCES protection,
    cause text NOT NULL CHECK (cause IN ('sign', 'staff')),
    reason text NOT NULL CHECK (reason <> ''),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    look_again_on date,
    lift_asked_by text,
    lift_asked_at timestamptz,
    lift_why text CHECK (lift_why <> ''),
    lifted_by text CHECK (lifted_by <> lift_asked_by),
    lifted_at timestamptz,
    CHECK (num_nulls(lift_asked_by, lift_asked_at, lift_why) IN (0, 3)),
    CHECK (num_nulls(lifted_by, lifted_at) IN (0, 2) AND (lifted_at IS NULL OR lift_asked_at IS NOT NULL))
);
COMMENT ON TABLE protection IS
    'whose whereabouts are secret: this mention, and everybody that it is by its active link, until two persons lift it';
COMMENT ON COLUMN protection.person_id IS 'whom a member of staff meant; who came by a sign in a message is not known yet';
COMMENT ON COLUMN protection.with_id IS 'the protection of somebody at the same address or phone, that this one came and ends with';
COMMENT ON COLUMN protection.look_again_on IS 'when somebody must look whether it is still needed; it does not end by itself';
CREATE INDEX protection_mention ON protection (mention_id) WHERE lifted_at IS NULL;
CREATE INDEX protection_person ON protection (person_id) WHERE lifted_at IS NULL;
CREATE INDEX protection_with ON protection (with_id) WHERE lifted_at IS NULL;
CREATE INDEX protection_look_again ON protection (region_id, look_again_on) WHERE lifted_at IS NULL;
CREATE FUNCTION protection_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.lifted_at IS NOT NULL OR
        to_jsonb(NEW) - '{look_again_on,lift_asked_by,lift_asked_at,lift_why,lifted_by,lifted_at}'::text[] <>
        to_jsonb(OLD) - '{look_again_on,lift_asked_by,lift_asked_at,lift_why,lifted_by,lifted_at}'::text[] THEN
        RAISE EXCEPTION 'a protection is only lifted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER protection_stays BEFORE UPDATE ON protection FOR EACH ROW EXECUTE FUNCTION protection_stays();

CREATE TABLE whereabouts (
    report_id uuid PRIMARY KEY REFERENCES report,
    region_id uuid NOT NULL,
    sealed bytea NOT NULL
);
COMMENT ON TABLE whereabouts IS 'what was left out of a report because it tells where a protected person is, and where it stood';
ALTER TABLE mention ADD COLUMN blind jsonb;
COMMENT ON COLUMN mention.blind IS 'of a protected person: keyed hashes of his addresses and phones, for linking without reading them';

CREATE TABLE trace_mark (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    sealed bytea NOT NULL,
    marked_by text NOT NULL,
    marked_at timestamptz NOT NULL,
    unmarked_by text,
    unmarked_at timestamptz,
    CHECK ((unmarked_by IS NULL) = (unmarked_at IS NULL))
);
COMMENT ON TABLE trace_mark IS 'a piece of the text that leads to the reporter: it goes into nothing that leaves';
CREATE INDEX trace_mark_report ON trace_mark (report_id) WHERE unmarked_at IS NULL;

SELECT secure_table('protection', 'mention', 'SELECT, INSERT, UPDATE');
SELECT secure_table('whereabouts', 'report', 'SELECT, INSERT, UPDATE, DELETE');
SELECT secure_table('trace_mark', 'report', 'SELECT, INSERT, UPDATE');
SELECT at_the_door(name, 'INSERT') FROM unnest(ARRAY['protection', 'whereabouts']) AS t (name);

-- Addresses and phones stand in the keys of the register as keyed hashes from now on: the keys are made again by
-- `veilig migrate`, which does so for a region with somebody who is linked and has no profile.
UPDATE person SET profile = NULL WHERE id IN (
    SELECT DISTINCT ON (p.region_id) p.id FROM person p JOIN link l ON l.person_id = p.id
        AND l.state IN ('new', 'automatic', 'confirmed') WHERE p.profile IS NOT NULL ORDER BY p.region_id, p.id);
