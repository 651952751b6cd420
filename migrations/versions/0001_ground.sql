-- The first floor plan. Expand first: a later migration adds, fills, switches, and only then takes away.
-- Every table carries its region, so that row-level security can be laid over it.

-- ── core ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE region (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    oin text NOT NULL UNIQUE CHECK (oin ~ '^[0-9]{20}$'),
    application text NOT NULL DEFAULT 'VTINTAKE' CHECK (length(application) BETWEEN 3 AND 50),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE team (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('veilig_thuis', 'local_team', 'partner')),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    UNIQUE (region_id, name)
);

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    team_id uuid REFERENCES team,
    username text NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('intake_worker', 'assessor', 'team_lead', 'administrator')),
    password_hash text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE staff_session (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    staff_id uuid NOT NULL REFERENCES staff,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX staff_session_staff ON staff_session (staff_id) WHERE ended_at IS NULL;

CREATE TABLE job (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'leased', 'done', 'dead')),
    attempts smallint NOT NULL DEFAULT 0,
    generation integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    woken_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    error text,
    UNIQUE (kind, subject_id),
    CHECK ((state = 'leased') = (leased_until IS NOT NULL)),
    CHECK ((state IN ('done', 'dead')) = (finished_at IS NOT NULL))
);
CREATE INDEX job_waiting ON job (due_at) WHERE state = 'new';
CREATE INDEX job_leased ON job (leased_until) WHERE state = 'leased';
CREATE INDEX job_dead ON job (id) WHERE state = 'dead';

CREATE TABLE task (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    team_id uuid REFERENCES team,
    kind text NOT NULL CHECK (kind IN ('assess', 'quarantine', 'dead_job', 'review_link')),
    subject_id uuid NOT NULL,
    risk smallint NOT NULL DEFAULT 0 CHECK (risk BETWEEN 0 AND 2),
    received_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    done_by text,
    outcome text,
    CHECK ((done_at IS NULL) = (done_by IS NULL))
);
CREATE UNIQUE INDEX task_one_open ON task (kind, subject_id) WHERE done_at IS NULL;
CREATE INDEX task_subject ON task (subject_id);
CREATE INDEX task_queue ON task (region_id, risk DESC, due_at, id) INCLUDE (kind, team_id) WHERE done_at IS NULL;
CREATE INDEX task_queue_team ON task (region_id, team_id, risk DESC, due_at, id) INCLUDE (kind)
    WHERE done_at IS NULL;

CREATE TABLE deadline (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('safety_assessment', 'quarantine')),
    subject_id uuid NOT NULL,
    norm_due_on date NOT NULL,
    legal_due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    met_at timestamptz,
    UNIQUE (kind, subject_id)
);

CREATE TABLE deadline_entry (
    deadline_id uuid NOT NULL REFERENCES deadline,
    number smallint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    reason text NOT NULL,
    norm_due_on date NOT NULL,
    legal_due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    steps jsonb NOT NULL,
    PRIMARY KEY (deadline_id, number)
);

CREATE TABLE audit_head (
    region_id uuid NOT NULL,
    chain smallint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (region_id, chain)
) WITH (fillfactor = 50);

CREATE TABLE audit_entry (
    region_id uuid NOT NULL,
    chain smallint NOT NULL,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id uuid,
    outcome text NOT NULL CHECK (outcome IN ('ok', 'refused', 'failed')),
    details jsonb NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (region_id, chain, number)
);
CREATE INDEX audit_entry_object ON audit_entry (object_id);

CREATE TABLE heartbeat (
    process uuid PRIMARY KEY,
    kind text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- ── intake ──────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE sender (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    oin text NOT NULL CHECK (oin ~ '^[0-9]{20}$'),
    name text NOT NULL,
    kind text NOT NULL,
    certificate_sha256 text UNIQUE CHECK (certificate_sha256 ~ '^[0-9a-f]{64}$'),
    reply_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    UNIQUE (region_id, oin)
);

CREATE TABLE sender_token (
    id uuid PRIMARY KEY,
    sender_id uuid NOT NULL REFERENCES sender,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX sender_token_sender ON sender_token (sender_id);

CREATE TABLE message (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    sender_id uuid NOT NULL REFERENCES sender,
    channel text NOT NULL CHECK (channel IN ('corv', 'json')),
    reference text,
    received_at timestamptz NOT NULL,
    raw bytea NOT NULL,
    content_sha256 bytea NOT NULL CHECK (length(content_sha256) = 32),
    outcome text NOT NULL CHECK (outcome IN ('report', 'quarantine')),
    standard text,
    answer_status smallint NOT NULL,
    answer_type text NOT NULL,
    answer bytea NOT NULL
);
-- The same bytes of the same sender have one answer; the same reference belongs to one report.
CREATE UNIQUE INDEX message_same_bytes ON message (sender_id, content_sha256);
CREATE UNIQUE INDEX message_reference ON message (sender_id, reference) WHERE outcome = 'report';

CREATE TABLE quarantine (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    message_id uuid NOT NULL UNIQUE REFERENCES message,
    code text NOT NULL,
    reason text NOT NULL,
    resolved_at timestamptz,
    resolution text
);

CREATE TABLE household (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cases (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    household_id uuid NOT NULL REFERENCES household,
    number text NOT NULL UNIQUE,
    team_id uuid REFERENCES team,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE UNIQUE INDEX cases_one_open ON cases (household_id) WHERE closed_at IS NULL;
CREATE INDEX cases_household ON cases (household_id);

CREATE TABLE report (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    message_id uuid NOT NULL UNIQUE REFERENCES message,
    sender_id uuid NOT NULL,
    reporter_kind text NOT NULL,
    reference_of_reporter text NOT NULL,
    received_at timestamptz NOT NULL,
    supplements uuid,
    content jsonb NOT NULL,
    remarks jsonb NOT NULL,
    acute_signals jsonb NOT NULL,
    acute_rules text NOT NULL,
    municipality text,
    household_id uuid REFERENCES household,
    case_id uuid REFERENCES cases,
    linked_at timestamptz
);
CREATE INDEX report_business_key ON report (sender_id, reference_of_reporter);
CREATE INDEX report_household ON report (household_id, received_at);
CREATE INDEX report_case ON report (case_id, received_at);

CREATE TABLE mention (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    number smallint NOT NULL,
    role_code smallint,
    person jsonb NOT NULL,
    features jsonb,
    UNIQUE (report_id, number)
);

CREATE TABLE outgoing_reply (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    message_id uuid NOT NULL REFERENCES message,
    kind text NOT NULL CHECK (kind IN ('Bv01', 'Fo01')),
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    UNIQUE (message_id, kind)
);

-- ── radar ───────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE person (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE membership (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    person_id uuid NOT NULL REFERENCES person,
    household_id uuid NOT NULL REFERENCES household,
    mention_id uuid NOT NULL REFERENCES mention,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    UNIQUE (person_id, household_id, mention_id)
);
CREATE INDEX membership_household ON membership (household_id);
CREATE INDEX membership_mention ON membership (mention_id);

CREATE TABLE link (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    mention_id uuid NOT NULL REFERENCES mention,
    person_id uuid NOT NULL REFERENCES person,
    state text NOT NULL CHECK (state IN ('new', 'automatic', 'proposed', 'confirmed', 'rejected', 'undone')),
    outcome text NOT NULL,
    score real NOT NULL,
    reasons jsonb NOT NULL,
    rule_set text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    decided_by text,
    CHECK ((state IN ('confirmed', 'rejected', 'undone')) = (decided_by IS NOT NULL))
);
COMMENT ON COLUMN link.state IS
    'new: the mention founded this person; automatic: linked by the machine; proposed: waits for a person; '
    'confirmed or rejected: said by a person, outranks the machine for ever; undone: taken back exactly';
CREATE UNIQUE INDEX link_one_active ON link (mention_id) WHERE state IN ('new', 'automatic', 'confirmed');
CREATE UNIQUE INDEX link_pair ON link (mention_id, person_id) WHERE state <> 'undone';
CREATE INDEX link_person ON link (person_id) WHERE state IN ('new', 'automatic', 'confirmed');
CREATE INDEX link_proposed ON link (region_id, created_at) WHERE state = 'proposed';

CREATE TABLE link_key (
    region_id uuid NOT NULL,
    key bigint NOT NULL,
    person_id uuid NOT NULL,
    mention_id uuid NOT NULL REFERENCES mention,
    PRIMARY KEY (region_id, key, person_id, mention_id)
);
CREATE INDEX link_key_mention ON link_key (mention_id);

CREATE TABLE safety_watch (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    case_id uuid NOT NULL REFERENCES cases,
    holder text NOT NULL CHECK (holder IN ('veilig_thuis', 'reporter', 'partner')),
    team_id uuid REFERENCES team,
    since timestamptz NOT NULL,
    until timestamptz CHECK (until >= since),
    reason text NOT NULL
);
CREATE UNIQUE INDEX safety_watch_one_holder ON safety_watch (case_id) WHERE until IS NULL;

CREATE TABLE service_area (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    municipality text NOT NULL,
    place text,
    postcode_from integer CHECK (postcode_from BETWEEN 1000 AND 9999),
    postcode_to integer CHECK (postcode_to BETWEEN postcode_from AND 9999),
    team_id uuid NOT NULL REFERENCES team,
    partner_id uuid REFERENCES team,
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    CHECK (place IS NOT NULL OR postcode_from IS NOT NULL)
);

CREATE TABLE route (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    state text NOT NULL CHECK (state IN ('proposed', 'decided', 'replaced')),
    team_id uuid REFERENCES team,
    path text NOT NULL,
    reason text NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    CHECK ((state = 'decided') = (decided_by IS NOT NULL))
);
COMMENT ON COLUMN service_area.team_id IS 'our team that assesses; partner_id: the local team that it can hand over to';
CREATE UNIQUE INDEX route_one_current ON route (report_id) WHERE state <> 'replaced';

-- ── what may never change ───────────────────────────────────────────────────────────────────────────────────
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION refuse_change();
CREATE TRIGGER deadline_entry_append_only BEFORE UPDATE OR DELETE ON deadline_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER message_immutable BEFORE UPDATE OR DELETE ON message
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION deadline_needs_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM deadline_entry e
        WHERE e.deadline_id = NEW.id AND e.due_at = NEW.due_at AND e.norm_due_on = NEW.norm_due_on
          AND e.legal_due_on = NEW.legal_due_on
          AND e.number = (SELECT max(number) FROM deadline_entry m WHERE m.deadline_id = NEW.id)
    ) THEN
        RAISE EXCEPTION 'a deadline moves by a ledger entry only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE CONSTRAINT TRIGGER deadline_moves_by_entry AFTER UPDATE OF due_at, norm_due_on, legal_due_on ON deadline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deadline_needs_entry();

-- A question to a person and its task are one thing: the task opens with the proposal and ends with the answer.
CREATE FUNCTION link_review_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'proposed' THEN
        INSERT INTO task (id, region_id, kind, subject_id, received_at, due_at)
        SELECT NEW.id, NEW.region_id, 'review_link', NEW.id, r.received_at, coalesce(d.due_at, r.received_at)
        FROM mention m JOIN report r ON r.id = m.report_id
        LEFT JOIN deadline d ON d.kind = 'safety_assessment' AND d.subject_id = r.id WHERE m.id = NEW.mention_id;
    ELSE
        UPDATE task SET done_at = now(), done_by = coalesce(NEW.decided_by, 'system'), outcome = NEW.state
        WHERE kind = 'review_link' AND subject_id = NEW.id AND done_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER link_proposed AFTER INSERT ON link
    FOR EACH ROW WHEN (NEW.state = 'proposed') EXECUTE FUNCTION link_review_task();
CREATE TRIGGER link_answered AFTER UPDATE OF state ON link
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION link_review_task();

-- A chain per region, in sixteen strands, so that sixteen connections can commit at the same moment. The head's
-- row lock is held until the commit: a strand has no gaps and no forks.
CREATE FUNCTION audit_append(
    region uuid, actor text, action text, object_kind text, object_id uuid, details jsonb, outcome text DEFAULT 'ok'
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    strand smallint := pg_backend_pid() % 16;
    moment timestamptz := clock_timestamp();
    head audit_head;
BEGIN
    LOOP
        UPDATE audit_head h SET number = h.number + 1, hash = sha256(h.hash || convert_to(concat_ws(chr(31),
            region, strand, h.number + 1, (extract(epoch FROM moment) * 1000000)::bigint, actor, action, object_kind,
            coalesce(object_id::text, '-'), outcome, details), 'UTF8'))
            WHERE h.region_id = region AND h.chain = strand RETURNING * INTO head;
        EXIT WHEN FOUND;
        INSERT INTO audit_head VALUES (region, strand, 0, '\x') ON CONFLICT DO NOTHING;
    END LOOP;
    INSERT INTO audit_entry VALUES (region, strand, head.number, moment, actor, action, object_kind, object_id,
        outcome, details, head.hash);
    RETURN head.number;
END $$;
