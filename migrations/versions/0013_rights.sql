-- Rights of persons concerned: who asks and how that was checked, what he gets and what not, what was corrected, until
-- when it is kept, and that it was destroyed. What is append-only gives way to a confirmed destruction only.

ALTER TABLE region ADD COLUMN IF NOT EXISTS legal_form text NOT NULL DEFAULT 'other'
    CHECK (legal_form IN ('bestuursorgaan', 'stichting', 'other'));
COMMENT ON COLUMN region.legal_form IS 'which way somebody has who disagrees with a decision: radar/rights/legal_forms.toml';
ALTER TABLE report ADD COLUMN destroyed_at timestamptz;
ALTER TABLE mention ADD COLUMN destroyed_at timestamptz;
ALTER TABLE message ADD COLUMN destroyed_at timestamptz;
COMMENT ON COLUMN message.destroyed_at IS 'its bytes were destroyed on a confirmed order; the hash of what it was stays';

ALTER TABLE deadline DROP CONSTRAINT deadline_kind_check;
ALTER TABLE deadline ADD CONSTRAINT deadline_kind_check CHECK (kind IN ('acute_check', 'safety_assessment',
    'quarantine', 'investigation_start', 'investigation', 'conditions', 'person_notice', 'feedback', 'handover_answer',
    'monitoring', 'information', 'access_request', 'destruction_request', 'rights_request'));

-- ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE person_request DROP CONSTRAINT person_request_kind_check;
ALTER TABLE person_request
    ADD CONSTRAINT person_request_kind_check CHECK (kind IN ('access', 'correction', 'statement', 'destruction',
        'objection', 'restriction')),
    ADD COLUMN asker text CHECK (asker IN ('self', 'representative', 'other')),
    ADD COLUMN asker_name text NOT NULL DEFAULT '',
    ADD COLUMN authority text NOT NULL DEFAULT '',
    ADD COLUMN capable boolean NOT NULL DEFAULT true,
    ADD COLUMN opposed boolean NOT NULL DEFAULT false,
    ADD COLUMN age_said smallint CHECK (age_said BETWEEN 0 AND 120),
    ADD COLUMN verified_how text CHECK (verified_how IN ('document', 'digital', 'office', 'known')),
    ADD COLUMN called_back_at timestamptz,
    ADD COLUMN called_back_note text NOT NULL DEFAULT '',
    ADD COLUMN verified_at timestamptz,
    ADD COLUMN verified_by text,
    ADD COLUMN outcome text CHECK (outcome IN ('granted', 'partly', 'refused', 'withdrawn', 'not_entitled')),
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN decided_by text,
    ADD COLUMN returned_at timestamptz,
    ADD COLUMN returned_by text,
    ADD COLUMN returned_why text,
    ADD COLUMN letter_id uuid REFERENCES letter,
    ADD CONSTRAINT person_request_verified CHECK (num_nulls(verified_at, verified_by, verified_how, asker) IN (0, 4)),
    ADD CONSTRAINT person_request_decided CHECK (num_nulls(decided_at, decided_by, outcome) IN (0, 3)),
    ADD CONSTRAINT person_request_two_persons CHECK (answered_by <> decided_by
        OR outcome IN ('withdrawn', 'not_entitled') OR kind = 'statement');
COMMENT ON COLUMN person_request.age_said IS 'the age on the day of the request that a person established, where the date of birth is vague';
COMMENT ON COLUMN person_request.opposed IS 'the interest of the child opposes that its representative gets this';

-- Before this version a request was answered by one person in one step.
UPDATE person_request SET outcome = 'granted', decided_at = answered_at, decided_by = 'onbekend' WHERE answered_at IS NOT NULL;

CREATE TABLE request_ground (
    request_id uuid NOT NULL REFERENCES person_request,
    number smallint NOT NULL,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    ground text NOT NULL,
    text text NOT NULL CHECK (text <> ''),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (request_id, number)
);
COMMENT ON TABLE request_ground IS 'why something is refused, concretely and per report (RBNHO:2021:5101, RBAMS:2023:137)';

CREATE TABLE access_copy (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    request_id uuid NOT NULL UNIQUE REFERENCES person_request,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'submitted', 'released')),
    seen bytea NOT NULL,
    prepared_at timestamptz NOT NULL,
    prepared_by text NOT NULL,
    submitted_at timestamptz,
    submitted_by text,
    returned_at timestamptz,
    returned_by text,
    returned_why text,
    released_at timestamptz,
    released_by text,
    letter_id uuid REFERENCES letter,
    CHECK (released_by <> submitted_by AND released_by <> prepared_by),
    CHECK ((state = 'released') = (released_at IS NOT NULL))
);
COMMENT ON COLUMN access_copy.seen IS 'a hash of the links and sources that it was made from: changed since then, it goes back';
CREATE TABLE access_item (
    copy_id uuid NOT NULL REFERENCES access_copy,
    number smallint NOT NULL,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    kind text NOT NULL,
    heading text NOT NULL,
    text text NOT NULL,
    mark bytea NOT NULL,
    locked boolean NOT NULL,
    first_ground text,
    include boolean NOT NULL,
    ground text,
    reason text NOT NULL DEFAULT '',
    changed_at timestamptz,
    changed_by text,
    PRIMARY KEY (copy_id, number),
    CHECK (include = (ground IS NULL)),
    CHECK (NOT (locked AND include))
);
COMMENT ON COLUMN access_item.first_ground IS 'why it was left out at first; none: it was taken along at first';

CREATE TABLE own_statement (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid NOT NULL REFERENCES mention,
    request_id uuid REFERENCES person_request,
    text text NOT NULL CHECK (text <> ''),
    said_on date NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL
);
CREATE INDEX own_statement_report ON own_statement (report_id);
CREATE TABLE correction (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid NOT NULL REFERENCES mention,
    request_id uuid REFERENCES person_request,
    what text NOT NULL CHECK (what <> ''),
    said text NOT NULL,
    becomes text NOT NULL CHECK (becomes <> ''),
    source text NOT NULL CHECK (source <> ''),
    since date NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL
);
COMMENT ON TABLE correction IS 'a new version beside what the sender said, which never changes';
CREATE INDEX correction_report ON correction (report_id);
CREATE TABLE use_stop (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid NOT NULL REFERENCES mention,
    request_id uuid NOT NULL REFERENCES person_request,
    reason text NOT NULL CHECK (reason <> ''),
    since timestamptz NOT NULL,
    set_by text NOT NULL,
    lifted_at timestamptz,
    lifted_by text,
    lifted_why text,
    CHECK (num_nulls(lifted_at, lifted_by, lifted_why) IN (0, 3))
);
COMMENT ON TABLE use_stop IS 'restriction of processing (AVG art. 18): nothing on this person goes out while it stands';
CREATE UNIQUE INDEX use_stop_one ON use_stop (mention_id) WHERE lifted_at IS NULL;
CREATE INDEX use_stop_report ON use_stop (report_id);

-- ── holds and destruction ────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE retention_hold (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid REFERENCES mention,
    kind text NOT NULL CHECK (kind IN ('complaint', 'court', 'other_person', 'other')),
    reason text NOT NULL CHECK (reason <> ''),
    until date,
    review_on date NOT NULL,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    ended_at timestamptz,
    ended_by text,
    ended_why text,
    CHECK (num_nulls(ended_at, ended_by, ended_why) IN (0, 3))
);
COMMENT ON COLUMN retention_hold.mention_id IS 'the person whose data stay; none: everything in the report';
CREATE INDEX retention_hold_report ON retention_hold (report_id) WHERE ended_at IS NULL;
CREATE INDEX retention_hold_review ON retention_hold (region_id, review_on) WHERE ended_at IS NULL;

CREATE TABLE destruction_order (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    report_id uuid NOT NULL REFERENCES report,
    scope text NOT NULL CHECK (scope IN ('person', 'report')),
    ground text NOT NULL CHECK (ground IN ('request', 'retention', 'forwarded')),
    request_id uuid REFERENCES person_request,
    mentions uuid[] NOT NULL,
    reports uuid[] NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    proposed_at timestamptz NOT NULL,
    proposed_by text NOT NULL,
    confirmed_at timestamptz,
    confirmed_by text,
    stopped_at timestamptz,
    stopped_by text,
    stopped_why text,
    subjects uuid[] NOT NULL DEFAULT '{}',
    executed_at timestamptz,
    counts jsonb,
    certificate bytea,
    replay boolean NOT NULL DEFAULT false,
    CHECK (cardinality(mentions) + cardinality(reports) > 0),
    CHECK ((ground = 'request') = (request_id IS NOT NULL)),
    CHECK (confirmed_by <> proposed_by),
    CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
    CHECK (num_nulls(stopped_at, stopped_by, stopped_why) IN (0, 3)),
    CHECK (executed_at IS NULL OR confirmed_at IS NOT NULL AND stopped_at IS NULL AND counts IS NOT NULL)
);
COMMENT ON COLUMN destruction_order.reports IS 'the reports that go as a whole; in others the rest of the file stays';
COMMENT ON COLUMN destruction_order.subjects IS 'set while it is carried out: the ids whose append-only rows give way';
COMMENT ON COLUMN destruction_order.replay IS 'made from the destruction register after a restore';
CREATE INDEX destruction_order_report ON destruction_order (report_id);
CREATE INDEX destruction_order_open ON destruction_order (region_id) WHERE executed_at IS NULL AND stopped_at IS NULL;
CREATE TABLE destruction_passage (
    order_id uuid NOT NULL REFERENCES destruction_order,
    number smallint NOT NULL,
    region_id uuid NOT NULL,
    place text NOT NULL,
    row_id uuid NOT NULL,
    mark bytea NOT NULL CHECK (length(mark) = 32),
    erase boolean NOT NULL,
    PRIMARY KEY (order_id, number)
);
COMMENT ON TABLE destruction_passage IS 'a sentence about this person in the file of others, by its keyed hash: goes or stays';

-- An order is made by who signs in, confirmed by another, and carried out once.
CREATE FUNCTION destruction_order_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    me text := (SELECT username FROM staff WHERE id = visit_staff());
    fixed text[] := '{stopped_at,stopped_by,stopped_why}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a destruction order stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.executed_at IS NOT NULL OR OLD.stopped_at IS NOT NULL THEN
            fixed := '{certificate}';
        ELSIF OLD.confirmed_at IS NULL THEN
            fixed := fixed || '{confirmed_at,confirmed_by}';
        ELSE
            fixed := fixed || '{subjects,executed_at,counts,certificate}';
        END IF;
        IF (to_jsonb(NEW) - fixed) <> (to_jsonb(OLD) - fixed) THEN
            RAISE EXCEPTION 'a destruction order is only confirmed, stopped or carried out'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.executed_at IS DISTINCT FROM OLD.executed_at AND current_setting('veilig.destruction', true) <> OLD.id::text THEN
            RAISE EXCEPTION 'only destroy_order carries an order out' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    IF me IS NOT NULL AND (TG_OP = 'INSERT' AND (NEW.proposed_by <> me OR NEW.confirmed_at IS NOT NULL OR NEW.replay)
        OR TG_OP = 'UPDATE' AND NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by AND NEW.confirmed_by <> me) THEN
        RAISE EXCEPTION 'an order has the name of who is signed in' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER destruction_order_kept BEFORE INSERT OR UPDATE OR DELETE ON destruction_order
    FOR EACH ROW EXECUTE FUNCTION destruction_order_kept();

-- Whether this row may give way: we are inside destroy_order (its owner is the current user), with an order that two
-- persons agreed on, and the row is about something that the order names.
CREATE FUNCTION gives_way(line jsonb) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted text := nullif(current_setting('veilig.destruction', true), '');
BEGIN
    RETURN wanted IS NOT NULL
        AND current_user = (SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'destruction_order')
        AND EXISTS (SELECT FROM destruction_order o WHERE o.id = wanted::uuid AND o.confirmed_at IS NOT NULL
            AND o.stopped_at IS NULL AND o.executed_at IS NULL AND o.subjects && ARRAY(
                SELECT e.value::uuid FROM jsonb_each_text(line) e WHERE e.value IS NOT NULL AND e.key IN
                ('id', 'report_id', 'mention_id', 'subject_id', 'message_id', 'deadline_id', 'service_id', 'case_id')));
END $$;

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' AND TG_TABLE_NAME IN ('message', 'deadline_entry', 'report_step', 'acute_action', 'risk_look',
        'own_statement', 'correction', 'request_ground') AND gives_way(to_jsonb(OLD)) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE OR REPLACE FUNCTION acute_check_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gives_way(to_jsonb(OLD)) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL
        OR (to_jsonb(NEW) - '{ended_at,ended_by,ended_why}'::text[])
            <> (to_jsonb(OLD) - '{ended_at,ended_by,ended_why}'::text[]) THEN
        RAISE EXCEPTION 'a check stays as it is; only its end is added, once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION assessment_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gives_way(to_jsonb(OLD)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a signed assessment never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE OR REPLACE FUNCTION signal_is_only_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before signal := OLD;
BEGIN
    IF gives_way(to_jsonb(OLD)) THEN
        RETURN NEW;
    END IF;
    before.withdrawn_at := NEW.withdrawn_at;
    before.withdrawn_by := NEW.withdrawn_by;
    before.withdrawn_why := NEW.withdrawn_why;
    IF OLD.withdrawn_at IS NOT NULL OR NEW IS DISTINCT FROM before THEN
        RAISE EXCEPTION 'a signal is only withdrawn' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION passage_chosen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM destruction_order o WHERE o.id = OLD.order_id AND o.confirmed_at IS NOT NULL)
        OR (to_jsonb(NEW) - 'erase') <> (to_jsonb(OLD) - 'erase') THEN
        RAISE EXCEPTION 'what goes and stays is settled before the confirmation'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER destruction_passage_chosen BEFORE UPDATE ON destruction_passage
    FOR EACH ROW EXECUTE FUNCTION passage_chosen();
CREATE TRIGGER own_statement_append_only BEFORE UPDATE OR DELETE ON own_statement
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER correction_append_only BEFORE UPDATE OR DELETE ON correction
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER request_ground_append_only BEFORE UPDATE OR DELETE ON request_ground
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

DROP TRIGGER message_immutable ON message;
CREATE TRIGGER message_immutable BEFORE UPDATE OR DELETE ON message FOR EACH ROW
    WHEN (coalesce(current_setting('veilig.destruction', true), '') = '' OR NOT gives_way(jsonb_build_object('id', OLD.id)))
    EXECUTE FUNCTION message_stays();

-- Once destroyed it stays so.
CREATE FUNCTION mention_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'destroyed data do not come back' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER mention_stays BEFORE UPDATE OF person, destroyed_at ON mention FOR EACH ROW
    WHEN (OLD.destroyed_at IS NOT NULL AND (NEW.person <> '{}' OR NEW.destroyed_at IS NULL))
    EXECUTE FUNCTION mention_stays();

CREATE FUNCTION no_hold(persons uuid[], files uuid[]) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM retention_hold h WHERE h.ended_at IS NULL AND (h.until IS NULL OR h.until >= current_date)
        AND (h.mention_id = ANY (persons) OR h.mention_id IS NULL AND h.report_id = ANY (files)))
    AND NOT EXISTS (SELECT FROM person_request q WHERE q.kind = 'objection' AND q.answered_at IS NULL
        AND q.mention_id = ANY (persons))
$$;
COMMENT ON FUNCTION no_hold IS 'nobody keeps these persons or files, and nobody objects';

-- The texts of a file that people wrote or sent: table, column, and how to reach the report from it.
CREATE FUNCTION texts_of_file() RETURNS TABLE (name text, field text, whose text)
    LANGUAGE sql IMMUTABLE AS $$
    VALUES ('report', 'content', 'id'), ('report', 'remarks', 'id'), ('report', 'acute_signals', 'id'),
        ('report_step', 'reason', 'report_id'), ('acute_check', 'reason', 'report_id'),
        ('acute_check', 'ended_why', 'report_id'), ('acute_action', 'called', 'report_id'),
        ('acute_action', 'agreed', 'report_id'), ('risk_look', 'reason', 'report_id'),
        ('assessment', 'answers', 'report_id'), ('assessment', 'reason', 'report_id'),
        ('assessment', 'returned_why', 'report_id'), ('route', 'reason', 'report_id'),
        ('handover', 'content', 'report_id'), ('handover', 'answered_name', 'report_id'),
        ('handover', 'answer', 'report_id'), ('service', 'plan', 'report_id'), ('service', 'summary', 'report_id'),
        ('contact', 'who', 'report_id'), ('contact', 'summary', 'report_id'),
        ('safety_condition', 'text', 'report_id'), ('safety_condition', 'owner', 'report_id'),
        ('safety_condition', 'note', 'report_id'), ('monitoring_moment', 'reason', 'report_id'),
        ('monitoring_moment', 'spoke_with', 'report_id'), ('monitoring_moment', 'note', 'report_id'),
        ('feedback', 'text', 'report_id'), ('feedback', 'watch', 'report_id'), ('feedback', 'why_not', 'report_id'),
        ('forwarding', 'forwarded_to', 'report_id'), ('forwarding', 'reason', 'report_id'),
        ('forwarding', 'retrieved_why', 'report_id'), ('signal', 'explanation', 'report_id'),
        ('person_notice', 'note', 'report_id'), ('person_request', 'note', 'report_id'),
        ('person_request', 'answer', 'report_id'), ('person_request', 'reason', 'report_id'),
        ('person_request', 'asker_name', 'report_id'), ('person_request', 'authority', 'report_id'),
        ('person_request', 'called_back_note', 'report_id'), ('person_request', 'returned_why', 'report_id'),
        ('request_ground', 'text', 'report_id'), ('own_statement', 'text', 'report_id'),
        ('correction', 'said', 'report_id'), ('correction', 'becomes', 'report_id'),
        ('correction', 'source', 'report_id'), ('use_stop', 'reason', 'report_id'), ('use_stop', 'lifted_why', 'report_id'),
        ('retention_hold', 'reason', 'report_id'), ('retention_hold', 'ended_why', 'report_id'),
        ('access_grant', 'reason', 'report_id'), ('access_grant', 'review_note', 'report_id')
$$;

-- Empty a text where it is not empty already: gives how many rows.
CREATE FUNCTION empty_text(name text, field text, whose text, ids uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    kind text := (SELECT format_type(a.atttypid, NULL) FROM pg_attribute a WHERE a.attrelid = name::regclass AND a.attname = field);
    n bigint;
BEGIN
    IF kind = 'jsonb' THEN
        EXECUTE format($q$UPDATE %1$I SET %2$I = CASE jsonb_typeof(%2$I) WHEN 'array' THEN '[]' ELSE '{}' END::jsonb
            WHERE %3$I = ANY ($1) AND %2$I NOT IN ('{}', '[]')$q$, name, field, whose) USING ids;
    ELSE
        EXECUTE format($q$UPDATE %1$I SET %2$I = '[vernietigd]' WHERE %3$I = ANY ($1) AND %2$I NOT IN ('', '[vernietigd]')$q$,
            name, field, whose) USING ids;
    END IF;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;

CREATE FUNCTION destroy_order(wanted uuid, passages jsonb DEFAULT '[]') RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    o destruction_order;
    persons uuid[];
    files uuid[];
    touched uuid[];
    messages uuid[];
    gone uuid[];
    links uuid[];
    one record;
    n bigint;
    texts bigint := 0;
    tally jsonb := '{}';
BEGIN
    SELECT * INTO o FROM destruction_order WHERE id = wanted FOR UPDATE;
    IF o.id IS NULL OR o.confirmed_at IS NULL OR o.stopped_at IS NOT NULL OR o.executed_at IS NOT NULL THEN
        RAISE EXCEPTION 'no confirmed destruction order' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    persons := ARRAY(SELECT id FROM mention WHERE region_id = o.region_id AND (id = ANY (o.mentions) OR report_id = ANY (o.reports)));
    touched := ARRAY(SELECT DISTINCT report_id FROM mention WHERE id = ANY (persons) UNION SELECT id FROM report
        WHERE id = ANY (o.reports) AND region_id = o.region_id);
    -- A report in which nobody stays goes as a whole, but never while somebody works on it.
    files := ARRAY(SELECT r.id FROM report r WHERE r.id = ANY (touched) AND (r.id = ANY (o.reports) OR NOT EXISTS (
        SELECT FROM mention m WHERE m.report_id = r.id AND m.destroyed_at IS NULL AND NOT m.id = ANY (persons))));
    IF NOT o.replay AND NOT no_hold(persons, touched) THEN
        RAISE EXCEPTION 'there is a hold on this' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    -- After a restore it goes although it is open again: its work stays for a person to end.
    IF NOT o.replay AND EXISTS (SELECT FROM report WHERE id = ANY (files) AND state NOT IN
        ('joined', 'closed', 'not_receivable', 'wrongly_addressed', 'forwarded', 'imported')) THEN
        RAISE EXCEPTION 'somebody still works on this report' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    messages := ARRAY(SELECT message_id FROM report WHERE id = ANY (touched));
    UPDATE destruction_order SET subjects = persons || touched || messages
        || ARRAY(SELECT id FROM deadline WHERE report_id = ANY (touched))
        || ARRAY(SELECT id FROM service WHERE report_id = ANY (touched)) WHERE id = wanted;
    PERFORM set_config('veilig.destruction', wanted::text, true);

    -- The person: what was said of him, who he is in the register, and what was written to and with him.
    UPDATE mention SET person = '{}', role_code = NULL, blind = NULL, destroyed_at = now() WHERE id = ANY (persons) AND destroyed_at IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    tally := tally || jsonb_build_object('mentions', n);
    gone := ARRAY(SELECT DISTINCT l.person_id FROM link l WHERE l.mention_id = ANY (persons) AND NOT EXISTS (
        SELECT FROM link a WHERE a.person_id = l.person_id AND a.state IN ('new', 'automatic', 'confirmed')
            AND NOT a.mention_id = ANY (persons)));
    links := ARRAY(SELECT id FROM link WHERE mention_id = ANY (persons) OR person_id = ANY (gone));
    UPDATE task SET done_at = now(), done_by = 'system', outcome = 'destroyed'
        WHERE kind = 'review_link' AND subject_id = ANY (links) AND done_at IS NULL;
    DELETE FROM membership WHERE mention_id = ANY (persons);
    DELETE FROM link WHERE id = ANY (links);
    tally := tally || jsonb_build_object('links', cardinality(links));
    DELETE FROM person_key WHERE person_id = ANY (gone);
    UPDATE person SET profile = NULL WHERE id = ANY (gone);
    UPDATE restriction SET reason = '[vernietigd]' WHERE person_id = ANY (gone);
    UPDATE exclusion SET reason = '[vernietigd]' WHERE person_id = ANY (gone);
    UPDATE access_grant SET reason = '[vernietigd]' WHERE person_id = ANY (gone);
    UPDATE search SET terms = '' WHERE id IN (SELECT search_id FROM search_touch WHERE person_id = ANY (gone));
    DELETE FROM search_touch WHERE person_id = ANY (gone);
    DELETE FROM safe_contact c WHERE c.mention_id = ANY (persons)
        AND NOT EXISTS (SELECT FROM notice n WHERE n.contact_id = c.id);
    UPDATE safe_contact SET address = '', code_word = NULL WHERE mention_id = ANY (persons);
    UPDATE person_check SET how = '[vernietigd]' WHERE mention_id = ANY (persons);
    UPDATE letter SET pdf = '', sha256 = sha256(''), words = NULL WHERE (mention_id = ANY (persons) OR report_id = ANY (files)) AND pdf <> '';
    GET DIAGNOSTICS n = ROW_COUNT;
    tally := tally || jsonb_build_object('letters', n);
    DELETE FROM access_item i USING access_copy c, person_request q WHERE i.copy_id = c.id AND q.id = c.request_id
        AND (q.mention_id = ANY (persons) OR i.report_id = ANY (files));
    FOR one IN SELECT t.name, t.field FROM texts_of_file() t WHERE t.name IN
        ('contact', 'person_notice', 'person_request', 'own_statement', 'correction', 'use_stop', 'retention_hold') LOOP
        texts := texts + empty_text(one.name, one.field, 'mention_id', persons);
    END LOOP;
    texts := texts + empty_text('request_ground', 'text', 'request_id',
        ARRAY(SELECT id FROM person_request WHERE mention_id = ANY (persons)));
    UPDATE deadline SET dropped_at = now(), dropped_why = 'Vernietigd'
        WHERE subject_id = ANY (persons) AND kind = 'person_notice' AND met_at IS NULL AND dropped_at IS NULL;
    UPDATE task t SET done_at = now(), done_by = 'system', outcome = 'destroyed' WHERE t.kind = 'notify'
        AND t.subject_id = ANY (touched) AND t.done_at IS NULL AND NOT EXISTS (SELECT FROM deadline d
        WHERE d.report_id = t.subject_id AND d.kind = 'person_notice' AND d.met_at IS NULL AND d.dropped_at IS NULL);

    -- The bytes as they came name everybody in the report: they go, what was taken from them about others stays.
    UPDATE message SET raw = '', destroyed_at = now() WHERE id = ANY (messages) AND destroyed_at IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    tally := tally || jsonb_build_object('messages', n);
    -- What was sealed of others with the same key is sealed anew first (radar/rights/destruction.py).
    DELETE FROM mention_secret WHERE mention_id = ANY (persons);
    DELETE FROM reporter_secret WHERE report_id = ANY (files);
    UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE destroyed_at IS NULL
        AND id IN (SELECT message_id FROM report WHERE id = ANY (files));
    DELETE FROM reporter_choice WHERE report_id = ANY (files);
    DELETE FROM trace_mark WHERE report_id = ANY (files);
    DELETE FROM whereabouts WHERE report_id = ANY (files);
    DELETE FROM protection WHERE mention_id = ANY (persons);
    UPDATE outgoing_message SET body = '' WHERE report_id = ANY (touched) AND sent_at IS NOT NULL AND body <> '';
    UPDATE outgoing_reply SET body = '' WHERE message_id = ANY (messages) AND sent_at IS NOT NULL AND body <> '';

    -- Files in which nobody stays.
    FOR one IN SELECT * FROM texts_of_file() LOOP
        texts := texts + empty_text(one.name, one.field, one.whose, files);
    END LOOP;
    texts := texts + empty_text('finding', 'explanation', 'service_id',
        ARRAY(SELECT id FROM service WHERE report_id = ANY (files)));
    texts := texts + empty_text('deadline_entry', 'reason', 'deadline_id',
        ARRAY(SELECT id FROM deadline WHERE report_id = ANY (files)));
    UPDATE signal SET withdrawn_at = now(), withdrawn_by = 'system', withdrawn_why = 'Vernietigd'
        WHERE report_id = ANY (files) AND withdrawn_at IS NULL;
    UPDATE report SET reference_of_reporter = id::text, household_id = NULL, case_id = NULL, municipality = NULL,
        destroyed_at = now() WHERE id = ANY (files) AND destroyed_at IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT;
    tally := tally || jsonb_build_object('reports', n);

    -- Sentences about him in the file of others, as a person pointed out.
    n := 0;
    FOR one IN SELECT p.name, p.field, p.id, p.passage FROM jsonb_to_recordset(passages)
        AS p (name text, field text, id uuid, passage text)
        JOIN texts_of_file() t ON t.name = p.name AND t.field = p.field WHERE length(p.passage) > 0 LOOP
        IF one.name IN ('report_step', 'acute_check') THEN
            EXECUTE format('UPDATE %1$I SET %2$I = replace(%2$I, $1, $2) WHERE report_id = $3 AND region_id = $4 AND report_id = ANY ($5)',
                one.name, one.field) USING one.passage, '[vernietigd]', one.id, o.region_id, touched;
        ELSIF (SELECT format_type(a.atttypid, NULL) FROM pg_attribute a WHERE a.attrelid = one.name::regclass
            AND a.attname = one.field) = 'jsonb' THEN
            EXECUTE format('UPDATE %1$I SET %2$I = replace(%2$I::text, $1, $2)::jsonb WHERE id = $3 AND region_id = $4 AND %3$I = ANY ($5)',
                one.name, one.field, CASE one.name WHEN 'report' THEN 'id' ELSE 'report_id' END)
                USING substr(to_jsonb(one.passage)::text, 2, length(to_jsonb(one.passage)::text) - 2), '[vernietigd]',
                    one.id, o.region_id, touched;
        ELSE
            EXECUTE format('UPDATE %1$I SET %2$I = replace(%2$I, $1, $2) WHERE id = $3 AND region_id = $4 AND report_id = ANY ($5)',
                one.name, one.field) USING one.passage, '[vernietigd]', one.id, o.region_id, touched;
        END IF;
        n := n + 1;
    END LOOP;
    FOR one IN SELECT p.id, p.passage FROM jsonb_to_recordset(passages) AS p (name text, id uuid, passage text)
        WHERE p.name = 'finding' AND length(p.passage) > 0 LOOP
        UPDATE finding f SET explanation = replace(f.explanation, one.passage, '[vernietigd]') WHERE f.id = one.id
            AND f.service_id IN (SELECT id FROM service WHERE report_id = ANY (touched));
        n := n + 1;
    END LOOP;
    tally := tally || jsonb_build_object('texts', texts, 'passages', n);
    UPDATE destruction_order SET executed_at = now(), counts = tally WHERE id = wanted;
    PERFORM set_config('veilig.destruction', '', true);
    RETURN tally;
END $$;
COMMENT ON FUNCTION destroy_order IS 'the only way to destroy: on an order that two persons agreed on, without a hold';
REVOKE EXECUTE ON FUNCTION destroy_order, empty_text FROM PUBLIC;
GRANT EXECUTE ON FUNCTION destroy_order TO veilig_worker;

CREATE FUNCTION brought_back(entries jsonb) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT e."order" FROM jsonb_to_recordset(entries) AS e ("order" uuid, mentions uuid[], reports uuid[], done boolean)
    WHERE (EXISTS (SELECT FROM mention m WHERE (m.id = ANY (e.mentions) OR m.report_id = ANY (e.reports))
            AND m.destroyed_at IS NULL)
        OR EXISTS (SELECT FROM report r WHERE r.id = ANY (e.reports) AND r.destroyed_at IS NULL))
    AND (e.done OR NOT EXISTS (SELECT FROM destruction_order o WHERE o.id = e."order" AND o.confirmed_at IS NOT NULL
        AND o.executed_at IS NULL AND o.stopped_at IS NULL))
$$;
COMMENT ON FUNCTION brought_back IS
    'the orders of the destruction register of which this database holds something again, and nobody is about to destroy it';
REVOKE EXECUTE ON FUNCTION brought_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION brought_back TO veilig_door, veilig_worker;

SELECT secure_table(name, scope, rights) FROM (VALUES
    ('request_ground', 'report', 'SELECT, INSERT'), ('access_copy', 'report', 'SELECT, INSERT, UPDATE'),
    ('access_item', 'report', 'SELECT, INSERT, UPDATE, DELETE'), ('own_statement', 'report', 'SELECT, INSERT'),
    ('correction', 'report', 'SELECT, INSERT'), ('use_stop', 'report', 'SELECT, INSERT, UPDATE'),
    ('retention_hold', 'report', 'SELECT, INSERT, UPDATE'), ('destruction_order', 'report', 'SELECT, INSERT, UPDATE'),
    ('destruction_passage', 'region', 'SELECT, INSERT, UPDATE')
) AS t (name, scope, rights);
REVOKE UPDATE, DELETE ON own_statement, correction, request_ground FROM veilig_worker;
REVOKE DELETE ON destruction_order FROM veilig_worker;
