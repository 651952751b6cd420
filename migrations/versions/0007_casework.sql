-- Casework: from the first minute to the last monitoring moment. All work hangs on a report; the case is derived
-- through it, so that a corrected link takes the work along.

-- ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────

ALTER TABLE staff DROP CONSTRAINT staff_role_check;
ALTER TABLE staff ADD CONSTRAINT staff_role_check
    CHECK (role IN ('intake_worker', 'assessor', 'behavioural_scientist', 'team_lead', 'administrator'));
ALTER TABLE team DROP CONSTRAINT team_kind_check;
ALTER TABLE team ADD CONSTRAINT team_kind_check CHECK (kind IN ('veilig_thuis', 'local_team', 'partner',
    'multidisciplinary', 'police', 'child_protection_board', 'other_region'));
ALTER TABLE team ADD COLUMN oin text CHECK (oin ~ '^[0-9]{20}$'), ADD COLUMN delivery_url text;
COMMENT ON COLUMN team.delivery_url IS 'where messages for this partner are posted (vtoDi01), through the CORV adapter';
ALTER TABLE sender ADD COLUMN team_id uuid REFERENCES team;
COMMENT ON COLUMN sender.team_id IS 'the partner for which this sender may answer handovers over the API';
ALTER TABLE region ADD COLUMN acute_check_minutes smallint NOT NULL DEFAULT 60 CHECK (acute_check_minutes > 0);
COMMENT ON COLUMN region.acute_check_minutes IS
    'the law says at once; this many minutes is our own reading of it, to be set per region';

-- A decision that another replaced keeps who took it and when.
ALTER TABLE route DROP CONSTRAINT route_check;
ALTER TABLE route ADD CONSTRAINT route_decided CHECK (state <> 'decided' OR decided_by IS NOT NULL),
    ADD CONSTRAINT route_proposed CHECK (state <> 'proposed' OR decided_by IS NULL);

-- ── states: one line per move, never edited ─────────────────────────────────────────────────────────────────

ALTER TABLE report ADD COLUMN state text NOT NULL DEFAULT 'received';
CREATE INDEX report_state ON report (region_id, state) WHERE state IN
    ('received', 'assessing', 'signing', 'handover', 'conditions', 'investigation', 'regional_task', 'monitoring');

CREATE TABLE report_step (
    report_id uuid NOT NULL REFERENCES report,
    number smallint NOT NULL,
    region_id uuid NOT NULL,
    move text NOT NULL,
    state text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (report_id, number)
);
CREATE TRIGGER report_step_append_only BEFORE UPDATE OR DELETE ON report_step
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ── tasks: for which report, who has it, since when with this team ──────────────────────────────────────────

ALTER TABLE task DROP CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_kind_check CHECK (kind IN ('acute_check', 'direct_action', 'assess', 'sign',
    'recheck', 'handover', 'service', 'monitor', 'feedback', 'notify', 'inform', 'person_request', 'quarantine',
    'dead_job', 'review_link', 'review_route'));
ALTER TABLE task
    ADD COLUMN report_id uuid,
    ADD COLUMN staff_id uuid REFERENCES staff,
    ADD COLUMN team_since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN reminded_at timestamptz,
    ADD COLUMN escalated_at timestamptz;
COMMENT ON COLUMN task.report_id IS 'the report that it is about; none for quarantine and stopped jobs';
COMMENT ON COLUMN task.team_since IS 'since when this team has it: the second clock, beside received_at';
UPDATE task SET team_since = opened_at;
UPDATE task SET report_id = subject_id WHERE kind IN ('assess', 'review_route');
UPDATE task t SET report_id = m.report_id FROM link l JOIN mention m ON m.id = l.mention_id
    WHERE t.kind = 'review_link' AND l.id = t.subject_id;
CREATE FUNCTION task_of_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.report_id := NEW.subject_id;
    RETURN NEW;
END $$;
CREATE TRIGGER task_of_report BEFORE INSERT ON task FOR EACH ROW
    WHEN (NEW.report_id IS NULL AND NEW.kind IN ('acute_check', 'direct_action', 'assess', 'sign', 'recheck', 'handover',
        'notify', 'review_route'))
    EXECUTE FUNCTION task_of_report();
CREATE INDEX task_of_report ON task (report_id);
DROP INDEX task_queue;
CREATE INDEX task_queue ON task (region_id, risk DESC, due_at, id)
    INCLUDE (kind, team_id, staff_id, reminded_at, escalated_at, received_at) WHERE done_at IS NULL;
DROP INDEX task_queue_team;
CREATE INDEX task_queue_team ON task (region_id, team_id, risk DESC, due_at, id)
    INCLUDE (kind, staff_id, reminded_at, escalated_at, received_at) WHERE done_at IS NULL;
CREATE INDEX task_waiting ON task (region_id, received_at, id) INCLUDE (kind, team_id) WHERE done_at IS NULL;
CREATE INDEX task_queue_staff ON task (staff_id, risk DESC, due_at, id) INCLUDE (kind, region_id)
    WHERE done_at IS NULL AND staff_id IS NOT NULL;
CREATE INDEX task_to_mark ON task (due_at) WHERE done_at IS NULL AND escalated_at IS NULL;

-- A reminder or an escalation is about one due date.
CREATE FUNCTION task_due_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.reminded_at := NULL;
    NEW.escalated_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER task_due_again BEFORE UPDATE OF due_at ON task
    FOR EACH ROW WHEN (NEW.due_at > OLD.due_at) EXECUTE FUNCTION task_due_again();

CREATE OR REPLACE FUNCTION link_review_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'proposed' THEN
        INSERT INTO task (id, region_id, kind, subject_id, report_id, received_at, due_at)
        SELECT NEW.id, NEW.region_id, 'review_link', NEW.id, r.id, r.received_at, coalesce(d.due_at, r.received_at)
        FROM mention m JOIN report r ON r.id = m.report_id
        LEFT JOIN deadline d ON d.kind = 'safety_assessment' AND d.subject_id = r.id WHERE m.id = NEW.mention_id;
    ELSE
        UPDATE task SET done_at = now(), done_by = coalesce(NEW.decided_by, 'system'), outcome = NEW.state
        WHERE kind = 'review_link' AND subject_id = NEW.id AND done_at IS NULL;
    END IF;
    RETURN NULL;
END $$;

-- ── the ledger: every term of domain.md 1.2 ─────────────────────────────────────────────────────────────────

ALTER TABLE deadline DROP CONSTRAINT deadline_kind_check;
ALTER TABLE deadline ADD CONSTRAINT deadline_kind_check CHECK (kind IN ('acute_check', 'safety_assessment',
    'quarantine', 'investigation_start', 'investigation', 'conditions', 'person_notice', 'feedback', 'handover_answer',
    'monitoring', 'information', 'access_request', 'destruction_request'));
ALTER TABLE deadline
    ADD COLUMN report_id uuid,
    ADD COLUMN dropped_at timestamptz,
    ADD COLUMN dropped_why text,
    ADD CONSTRAINT deadline_met_or_dropped CHECK (met_at IS NULL OR dropped_at IS NULL),
    ADD CONSTRAINT deadline_dropped_why CHECK ((dropped_at IS NULL) = (dropped_why IS NULL));
COMMENT ON COLUMN deadline.dropped_at IS 'it fell away (no report after all, offer withdrawn); it then counts nowhere';
UPDATE deadline SET report_id = subject_id WHERE kind = 'safety_assessment';
CREATE INDEX deadline_report ON deadline (report_id);
CREATE INDEX deadline_open ON deadline (region_id, kind, due_at) WHERE met_at IS NULL AND dropped_at IS NULL;
CREATE INDEX deadline_due ON deadline (region_id, kind, due_at);
ALTER TABLE deadline_entry
    ADD COLUMN kind text NOT NULL DEFAULT 'start' CHECK (kind IN ('start', 'extension', 'withdrawal')),
    ADD COLUMN starts_on date,
    ADD COLUMN weeks smallint CHECK (weeks > 0),
    ADD COLUMN withdraws smallint,
    ADD CONSTRAINT deadline_entry_extension CHECK ((kind = 'extension') = (weeks IS NOT NULL)),
    ADD CONSTRAINT deadline_entry_withdrawal CHECK ((kind = 'withdrawal') = (withdraws IS NOT NULL)),
    ADD CONSTRAINT deadline_entry_reason CHECK (reason <> '');

CREATE FUNCTION deadline_of_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.report_id := NEW.subject_id;
    RETURN NEW;
END $$;
CREATE TRIGGER deadline_of_report BEFORE INSERT ON deadline FOR EACH ROW
    WHEN (NEW.report_id IS NULL AND NEW.kind IN ('acute_check', 'safety_assessment'))
    EXECUTE FUNCTION deadline_of_report();

-- In time and too late, per month of the due date: so that no overview counts a million rows. The clock counts again
-- what can still change.
CREATE TABLE term_month (
    region_id uuid NOT NULL,
    team_id uuid NOT NULL,
    kind text NOT NULL,
    month date NOT NULL,
    in_time integer NOT NULL,
    late integer NOT NULL,
    open_late integer NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (region_id, kind, month, team_id)
);
COMMENT ON COLUMN term_month.team_id IS 'all zeros: no team';

-- ── a report begins: its first line of history and its acute check, whatever way it came in ─────────────────

CREATE FUNCTION report_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    minutes smallint;
    due timestamptz;
    day date := (NEW.received_at AT TIME ZONE 'Europe/Amsterdam')::date;
    due_day date;
    deadline_id uuid := gen_random_uuid();
    term jsonb;
BEGIN
    INSERT INTO report_step VALUES (NEW.id, 1, NEW.region_id, 'receive', NEW.state, NEW.received_at, 'system', 'Ontvangen');
    IF NEW.state = 'received' THEN
        SELECT acute_check_minutes INTO minutes FROM region WHERE id = NEW.region_id;
        due := NEW.received_at + make_interval(mins => minutes);
        due_day := (due AT TIME ZONE 'Europe/Amsterdam')::date;
        term := jsonb_build_object('due_on', due_day, 'due_at', due, 'policy', minutes || ' minuten na ontvangst',
            'steps', jsonb_build_array(
                jsonb_build_object('day', day, 'kind', 'day_zero', 'reason', 'De wet zegt: meteen bij ontvangst, dag en nacht.'),
                jsonb_build_object('day', due_day, 'kind', 'due', 'reason', 'Instelling van de regio: binnen ' || minutes || ' minuten.')));
        INSERT INTO deadline (id, region_id, kind, subject_id, report_id, norm_due_on, legal_due_on, due_at)
        VALUES (deadline_id, NEW.region_id, 'acute_check', NEW.id, NEW.id, due_day, day, due);
        INSERT INTO deadline_entry (deadline_id, number, at, actor, reason, norm_due_on, legal_due_on, due_at, steps, starts_on)
        VALUES (deadline_id, 1, NEW.received_at, 'system', 'ontvangst', due_day, day, due, jsonb_build_object('norm', term), day);
        -- Until a person looked, nobody knows that it is not urgent: before all that can wait (domain.md 13.6).
        INSERT INTO task (id, region_id, kind, subject_id, report_id, risk, received_at, due_at, opened_at, team_since)
        VALUES (gen_random_uuid(), NEW.region_id, 'acute_check', NEW.id, NEW.id,
            2, NEW.received_at, due, NEW.received_at, NEW.received_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER report_begins AFTER INSERT ON report FOR EACH ROW WHEN (NEW.state <> 'imported')
    EXECUTE FUNCTION report_begins();

-- ── safety watch: one holder, no gap, at every commit ───────────────────────────────────────────────────────

CREATE FUNCTION watch_unbroken() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one uuid;
    line record;
BEGIN
    IF TG_TABLE_NAME = 'cases' THEN one := NEW.id; ELSE one := NEW.case_id; END IF;
    SELECT c.closed_at, count(w.id) AS n, count(*) FILTER (WHERE w.until IS NULL AND w.id IS NOT NULL) AS now_watching,
        count(*) FILTER (WHERE w.since IS DISTINCT FROM w.before) AS broken, max(w.until) AS last INTO line
    FROM cases c LEFT JOIN LATERAL (
        SELECT id, since, until, coalesce(lag(until) OVER (ORDER BY since, until NULLS LAST, id), c.opened_at) AS before
        FROM safety_watch WHERE case_id = c.id) w ON true
    WHERE c.id = one GROUP BY c.id, c.closed_at;
    IF line.n = 0 OR line.broken > 0 OR line.now_watching <> (line.closed_at IS NULL)::int THEN
        RAISE EXCEPTION 'a case has exactly one holder of the safety watch at every moment'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER watch_unbroken AFTER INSERT OR UPDATE ON safety_watch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION watch_unbroken();
CREATE CONSTRAINT TRIGGER case_watched AFTER INSERT OR UPDATE OF closed_at, opened_at ON cases
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION watch_unbroken();
CREATE TRIGGER safety_watch_no_delete BEFORE DELETE ON safety_watch FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ── acute check, direct action, and each later look at the risk ─────────────────────────────────────────────

CREATE TABLE acute_check (
    report_id uuid NOT NULL REFERENCES report,
    number smallint NOT NULL DEFAULT 1,
    region_id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    acute boolean NOT NULL,
    signs jsonb NOT NULL,
    reason text NOT NULL,
    ended_at timestamptz,
    ended_by text,
    ended_why text,
    PRIMARY KEY (report_id, number),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (ended_why IS NULL)),
    CHECK (acute OR ended_at IS NULL)
);
COMMENT ON COLUMN acute_check.number IS 'a line per check, and one for each time that it turned acute later';
COMMENT ON COLUMN acute_check.ended_at IS 'when a person said that the direct danger is over';
CREATE FUNCTION acute_check_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL
        OR (to_jsonb(NEW) - '{ended_at,ended_by,ended_why}'::text[])
            <> (to_jsonb(OLD) - '{ended_at,ended_by,ended_why}'::text[]) THEN
        RAISE EXCEPTION 'a check stays as it is; only its end is added, once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER acute_check_kept BEFORE UPDATE OR DELETE ON acute_check
    FOR EACH ROW EXECUTE FUNCTION acute_check_kept();
CREATE TABLE acute_action (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL,
    actor text NOT NULL,
    called text NOT NULL,
    agreed text NOT NULL
);
CREATE INDEX acute_action_report ON acute_action (report_id, at);
CREATE TABLE risk_look (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    risk smallint NOT NULL CHECK (risk BETWEEN 0 AND 2),
    reason text NOT NULL
);
CREATE INDEX risk_look_report ON risk_look (report_id, at DESC);
CREATE TRIGGER acute_action_append_only BEFORE UPDATE OR DELETE ON acute_action
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER risk_look_append_only BEFORE UPDATE OR DELETE ON risk_look
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ── safety assessment ───────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE assessment (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    questionnaire text NOT NULL,
    answers jsonb NOT NULL DEFAULT '{}',
    revision integer NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    started_by text NOT NULL,
    saved_at timestamptz NOT NULL,
    saved_by text NOT NULL,
    path text,
    team_id uuid REFERENCES team,
    reason text,
    submitted_at timestamptz,
    submitted_by text,
    signed_at timestamptz,
    signed_by text,
    returned_at timestamptz,
    returned_by text,
    returned_why text,
    CHECK ((submitted_at IS NULL) = (submitted_by IS NULL)),
    CHECK ((signed_at IS NULL) = (signed_by IS NULL)),
    CHECK (signed_at IS NULL OR submitted_at IS NOT NULL AND path IS NOT NULL),
    CHECK (signed_by <> submitted_by)
);
COMMENT ON COLUMN assessment.questionnaire IS 'the version of the questionnaire that it was made with, kept for ever';
CREATE UNIQUE INDEX assessment_one_draft ON assessment (report_id) WHERE signed_at IS NULL;
CREATE INDEX assessment_report ON assessment (report_id, started_at);
CREATE FUNCTION assessment_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a signed assessment never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER assessment_signed BEFORE UPDATE OR DELETE ON assessment
    FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION assessment_signed();

-- ── handover ────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE handover (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    kind text NOT NULL,
    team_id uuid NOT NULL REFERENCES team,
    state text NOT NULL DEFAULT 'offered' CHECK (state IN ('offered', 'accepted', 'refused', 'withdrawn')),
    takes_watch boolean NOT NULL,
    afterwards text NOT NULL CHECK (afterwards IN ('close', 'monitor', 'stay')),
    days smallint NOT NULL DEFAULT 5 CHECK (days BETWEEN 1 AND 60),
    shares jsonb NOT NULL,
    content jsonb NOT NULL,
    offered_at timestamptz NOT NULL,
    offered_by text NOT NULL,
    unanswered_at timestamptz,
    answered_at timestamptz,
    answered_by text,
    answered_name text,
    started_on date,
    answer text,
    CHECK ((state = 'offered') = (answered_at IS NULL)),
    CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
    CHECK (state NOT IN ('refused', 'withdrawn') OR answer IS NOT NULL)
);
COMMENT ON COLUMN handover.days IS 'the working days agreed for an answer';
COMMENT ON COLUMN handover.answered_name IS 'who said it at the partner, name and function';
COMMENT ON COLUMN handover.started_on IS 'when the follow-up began at the partner: the watch moves not before';
COMMENT ON COLUMN handover.shares IS 'the parts of the report that the partner may see';
COMMENT ON COLUMN handover.unanswered_at IS 'when the agreed days passed without an answer; the offer still stands';
CREATE UNIQUE INDEX handover_one_open ON handover (report_id) WHERE state = 'offered' AND takes_watch;
CREATE INDEX handover_report ON handover (report_id, offered_at);
CREATE INDEX handover_team ON handover (team_id, offered_at) WHERE state = 'offered';
CREATE TABLE handover_invite (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    handover_id uuid NOT NULL REFERENCES handover,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    attempts smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    visit_hash bytea UNIQUE CHECK (length(visit_hash) = 32),
    visit_until timestamptz,
    ended_at timestamptz
);
COMMENT ON COLUMN handover_invite.visit_hash IS 'of the visit that the link and the code opened, once';
CREATE INDEX handover_invite_handover ON handover_invite (handover_id);

-- ── investigation, conditions and follow-up (V&V) ───────────────────────────────────────────────────────────

CREATE TABLE service (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    kind text NOT NULL CHECK (kind IN ('investigation', 'conditions', 'regional_task')),
    decided_at timestamptz NOT NULL,
    started_at timestamptz,
    started_by text,
    lead_id uuid REFERENCES staff,
    plan text NOT NULL DEFAULT '',
    forms text[] NOT NULL DEFAULT '{}',
    plan_at timestamptz,
    plan_by text,
    ended_at timestamptz,
    ended_by text,
    outcome text,
    summary text,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
COMMENT ON COLUMN service.forms IS 'what the investigation is about: forms of violence of findings.toml';
COMMENT ON COLUMN service.started_at IS 'when the worker actually began (CBS), not when it was decided: the clock runs from decided_at';
CREATE UNIQUE INDEX service_one_running ON service (report_id) WHERE ended_at IS NULL;
CREATE INDEX service_report ON service (report_id, decided_at);
CREATE TABLE contact (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    service_id uuid REFERENCES service,
    at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL,
    actor text NOT NULL,
    with_kind text NOT NULL CHECK (with_kind IN ('person', 'informant', 'reporter', 'partner')),
    mention_id uuid REFERENCES mention,
    who text NOT NULL,
    how text NOT NULL CHECK (how IN ('call', 'visit', 'office', 'letter', 'message')),
    summary text NOT NULL,
    informed boolean NOT NULL,
    CHECK (with_kind <> 'person' OR mention_id IS NOT NULL)
);
COMMENT ON COLUMN contact.informed IS 'told of procedure, use of data, access and complaints (UB Wmo 4.1.8 lid 2)';
CREATE INDEX contact_report ON contact (report_id, at);
CREATE TABLE finding (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    service_id uuid NOT NULL REFERENCES service,
    form text NOT NULL,
    result text NOT NULL CHECK (result IN ('confirmed', 'not_confirmed', 'refuted')),
    explanation text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    replaced_at timestamptz
);
CREATE UNIQUE INDEX finding_current ON finding (service_id, form) WHERE replaced_at IS NULL;
CREATE TABLE safety_condition (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    service_id uuid REFERENCES service,
    text text NOT NULL,
    owner text NOT NULL,
    due_on date NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'met', 'not_met', 'withdrawn')),
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    settled_at timestamptz,
    settled_by text,
    note text NOT NULL DEFAULT '',
    CHECK ((state = 'open') = (settled_at IS NULL))
);
CREATE INDEX safety_condition_report ON safety_condition (report_id, made_at);

-- ── monitoring ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE monitoring_moment (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    number smallint NOT NULL,
    months smallint,
    planned_on date NOT NULL,
    planned_at timestamptz NOT NULL,
    planned_by text NOT NULL,
    reason text NOT NULL,
    held_at timestamptz,
    noted_at timestamptz,
    held_by text,
    violence text CHECK (violence IN ('stopped', 'less', 'same', 'more')),
    spoke_with text,
    note text,
    dropped_at timestamptz,
    UNIQUE (report_id, number),
    CHECK ((held_at IS NULL) = (violence IS NULL)),
    CHECK (num_nulls(held_at, noted_at, held_by, violence, spoke_with, note) IN (0, 6)),
    CHECK (held_at IS NULL OR dropped_at IS NULL)
);
COMMENT ON COLUMN monitoring_moment.months IS 'after the start of monitoring; none: an extra one, planned by hand';
COMMENT ON COLUMN monitoring_moment.held_at IS 'when the talk was; noted_at: when somebody wrote it down';
CREATE INDEX monitoring_moment_open ON monitoring_moment (planned_on) WHERE held_at IS NULL AND dropped_at IS NULL;
CREATE INDEX monitoring_moment_held ON monitoring_moment (region_id, months, held_at) WHERE held_at IS NOT NULL;

-- ── feedback to the reporter, notices to persons, letters ───────────────────────────────────────────────────

CREATE TABLE feedback (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    moment text NOT NULL CHECK (moment IN ('assessment', 'closing')),
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'released', 'sent', 'not_needed')),
    code text NOT NULL,
    text text NOT NULL DEFAULT '',
    watch text NOT NULL DEFAULT '',
    with_role boolean NOT NULL DEFAULT false,
    channel text NOT NULL CHECK (channel IN ('corv', 'json', 'letter', 'talk')),
    opened_at timestamptz NOT NULL,
    released_at timestamptz,
    released_by text,
    sent_at timestamptz,
    why_not text,
    CHECK ((state IN ('released', 'sent')) = (released_at IS NOT NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK ((state = 'not_needed') = (why_not IS NOT NULL))
);
COMMENT ON COLUMN feedback.code IS 'of uitcomstMeldingGeneriek: VT-00, VT-01-01..04, VT-02, VT-03, VT-99';
COMMENT ON COLUMN feedback.with_role IS
    'who released it said that the reporter has a role in the conditions or the monitoring';
CREATE INDEX feedback_report ON feedback (report_id, opened_at);
CREATE UNIQUE INDEX feedback_one_draft ON feedback (report_id, moment) WHERE state = 'draft';
CREATE TABLE outgoing_message (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('vtTerugkoppelingDi01', 'vtoDi01')),
    subject_id uuid NOT NULL UNIQUE,
    report_id uuid NOT NULL REFERENCES report,
    sender_id uuid REFERENCES sender,
    team_id uuid REFERENCES team,
    reference text NOT NULL UNIQUE,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    CHECK ((sender_id IS NULL) <> (team_id IS NULL))
);
COMMENT ON COLUMN outgoing_message.subject_id IS 'the feedback or the handover that it carries';
CREATE INDEX outgoing_message_report ON outgoing_message (report_id);
CREATE INDEX outgoing_message_waiting ON outgoing_message (created_at) WHERE sent_at IS NULL;
CREATE TABLE letter (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid REFERENCES mention,
    template text NOT NULL,
    template_version text NOT NULL,
    pdf bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    sent_at timestamptz,
    sent_by text
);
CREATE INDEX letter_report ON letter (report_id, made_at);
CREATE TABLE person_notice (
    mention_id uuid PRIMARY KEY REFERENCES mention,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    how text NOT NULL CHECK (how IN ('letter', 'talk', 'representative')),
    letter_id uuid REFERENCES letter,
    told_at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL,
    actor text NOT NULL,
    note text NOT NULL DEFAULT ''
);
CREATE INDEX person_notice_report ON person_notice (report_id);
CREATE TABLE person_request (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid NOT NULL REFERENCES mention,
    kind text NOT NULL CHECK (kind IN ('access', 'destruction')),
    received_on date NOT NULL,
    noted_at timestamptz NOT NULL,
    actor text NOT NULL,
    note text NOT NULL DEFAULT '',
    answered_at timestamptz,
    answered_by text,
    answer text,
    CHECK ((answered_at IS NULL) = (answer IS NULL))
);
CREATE INDEX person_request_report ON person_request (report_id);

-- ── a form that is no report ────────────────────────────────────────────────────────────────────────────────

CREATE TABLE forwarding (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    forwarded_to text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    destroy_on date NOT NULL,
    tasks jsonb NOT NULL DEFAULT '[]',
    same jsonb NOT NULL DEFAULT '[]',
    retrieved_at timestamptz,
    retrieved_by text,
    retrieved_why text,
    CHECK (num_nulls(retrieved_at, retrieved_by, retrieved_why) IN (0, 3)),
    CHECK (forwarded_to <> '' AND reason <> '')
);
COMMENT ON COLUMN forwarding.tasks IS 'the open work that it ended: kind and subject of each task';
COMMENT ON COLUMN forwarding.same IS 'who somebody had said that its mentions are: mention and person of each yes';
CREATE UNIQUE INDEX forwarding_current ON forwarding (report_id) WHERE retrieved_at IS NULL;

-- ── what was there before ───────────────────────────────────────────────────────────────────────────────────

UPDATE route SET path = 'handover' WHERE path = 'local_team';
UPDATE route SET path = 'conditions' WHERE path = 'acute' AND state = 'decided';
UPDATE report r SET state = CASE
    WHEN m.channel = 'import' THEN 'imported'
    WHEN o.path IS NULL THEN 'assessing'
    WHEN o.path = 'no_steps' THEN 'closed'
    WHEN o.path = 'not_hgkm' THEN 'forwarded'
    ELSE o.path END
FROM message m, report x LEFT JOIN route o ON o.report_id = x.id AND o.state = 'decided'
WHERE m.id = r.message_id AND x.id = r.id;
INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)
SELECT r.id, 1, r.region_id, 'receive', r.state, r.received_at, 'system', 'Overgenomen uit een eerdere versie'
FROM report r WHERE r.state <> 'imported';
INSERT INTO forwarding (id, region_id, report_id, forwarded_to, reason, at, actor, destroy_on)
SELECT gen_random_uuid(), o.region_id, o.report_id, 'niet vastgelegd', o.reason, o.decided_at, o.decided_by,
    (o.decided_at AT TIME ZONE 'Europe/Amsterdam')::date + 90
FROM route o WHERE o.state = 'decided' AND o.path = 'not_hgkm';
UPDATE deadline d SET met_at = NULL, dropped_at = met_at, dropped_why = 'Geen melding: doorgestuurd'
FROM report r WHERE d.kind = 'safety_assessment' AND d.subject_id = r.id AND r.state = 'forwarded';
INSERT INTO service (id, region_id, report_id, kind, decided_at)
SELECT gen_random_uuid(), o.region_id, o.report_id, o.path, o.decided_at FROM route o
WHERE o.state = 'decided' AND o.path IN ('conditions', 'investigation');

-- Their work is a task; what runs with Veilig Thuis is due ten weeks after the decision.
INSERT INTO task (id, region_id, team_id, kind, subject_id, report_id, risk, received_at, due_at, opened_at, team_since)
SELECT gen_random_uuid(), o.region_id, a.team_id, CASE o.path WHEN 'handover' THEN 'handover' ELSE 'service' END,
    coalesce(v.id, o.report_id), o.report_id, coalesce(a.risk, 0), r.received_at,
    o.decided_at + CASE o.path WHEN 'handover' THEN interval '1 day' ELSE interval '70 days' END, o.decided_at, o.decided_at
FROM route o JOIN report r ON r.id = o.report_id LEFT JOIN service v ON v.report_id = o.report_id
LEFT JOIN LATERAL (SELECT team_id, risk FROM task WHERE kind = 'assess' AND subject_id = o.report_id
    ORDER BY opened_at DESC LIMIT 1) AS a ON true
WHERE o.state = 'decided' AND o.path IN ('handover', 'conditions', 'investigation');

-- Its state is where its last step put it.
CREATE FUNCTION report_moves_by_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM report WHERE id = NEW.id) IS DISTINCT FROM
       (SELECT state FROM report_step WHERE report_id = NEW.id ORDER BY number DESC LIMIT 1) THEN
        RAISE EXCEPTION 'a report moves by a step only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER report_moves_by_step AFTER UPDATE OF state ON report
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION report_moves_by_step();
