-- One door out: each thing that leaves is a row, released by a person, checked again at the moment that it goes.

-- ── what leaves ──────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE outgoing (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    report_id uuid REFERENCES report,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    recipient_kind text NOT NULL CHECK (recipient_kind IN ('person', 'partner', 'sender', 'staff')),
    recipient_id uuid NOT NULL,
    parts text[] NOT NULL,
    dangers text[] NOT NULL DEFAULT '{}',
    two_persons boolean NOT NULL,
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'released', 'sent', 'held', 'withdrawn')),
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    released_by text,
    released_at timestamptz,
    second_by text,
    second_at timestamptz,
    links uuid[] NOT NULL DEFAULT '{}',
    household_id uuid,
    checked_at timestamptz,
    held_why text[] NOT NULL DEFAULT '{}',
    sent_at timestamptz,
    content_sha256 bytea CHECK (length(content_sha256) = 32),
    UNIQUE (kind, subject_id),
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CHECK ((second_at IS NULL) = (second_by IS NULL)),
    CONSTRAINT outgoing_two_persons CHECK (second_by <> released_by),
    CONSTRAINT outgoing_released CHECK (state NOT IN ('released', 'sent')
        OR (released_by IS NOT NULL AND (NOT two_persons OR second_by IS NOT NULL))),
    CONSTRAINT outgoing_sent CHECK (state <> 'sent' OR (sent_at IS NOT NULL AND checked_at IS NOT NULL)),
    CONSTRAINT outgoing_held CHECK ((state = 'held') = (held_why <> '{}'))
);
COMMENT ON COLUMN outgoing.subject_id IS 'the feedback, letter, handover, reply, copy, export or notice that it is';
COMMENT ON COLUMN outgoing.recipient_id IS 'a mention (person), a team (partner), a sender, or a member of staff';
COMMENT ON COLUMN outgoing.parts IS 'what is in it; each must be on the list of its recipient (radar/outbound/kinds.toml)';
COMMENT ON COLUMN outgoing.dangers IS 'what makes it need two persons';
COMMENT ON COLUMN outgoing.links IS 'the links that held when it was released: when one of them does no more, it is held';
COMMENT ON COLUMN outgoing.held_why IS 'codes of what stood in the way when it would have gone';
CREATE INDEX outgoing_waiting ON outgoing (region_id, made_at) WHERE state IN ('proposed', 'held', 'released');
CREATE INDEX outgoing_sent_at ON outgoing (region_id, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outgoing_report ON outgoing (report_id);
CREATE INDEX outgoing_subject ON outgoing (subject_id);

-- What a printer or a download took along: each has its own number at its foot.
CREATE TABLE outgoing_print (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid REFERENCES report,
    outgoing_id uuid NOT NULL REFERENCES outgoing,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    draft boolean NOT NULL,
    content_sha256 bytea NOT NULL CHECK (length(content_sha256) = 32)
);
CREATE INDEX outgoing_print_of ON outgoing_print (outgoing_id);
CREATE INDEX outgoing_print_day ON outgoing_print (region_id, actor, at);
CREATE TRIGGER outgoing_print_unchanged BEFORE UPDATE ON outgoing_print
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE letter ADD COLUMN words bytea;
COMMENT ON COLUMN letter.words IS 'sealed, as its file: what the letter says (JSON: given, subject, paragraphs); each copy is drawn from it';

-- ── to whom ──────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE partner_check (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    team_id uuid NOT NULL REFERENCES team,
    verified_until date NOT NULL,
    domain text,
    domain_until date,
    certificate_until date,
    mailbox text,
    how text NOT NULL CHECK (how <> ''),
    checked_at timestamptz NOT NULL,
    checked_by text NOT NULL
);
COMMENT ON COLUMN partner_check.domain_until IS 'until when the domain is theirs: who lets it go lets others read its mail';
CREATE INDEX partner_check_team ON partner_check (team_id, checked_at DESC);
CREATE TRIGGER partner_check_append_only BEFORE UPDATE OR DELETE ON partner_check
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE person_check (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid NOT NULL REFERENCES mention,
    how text NOT NULL,
    checked_at timestamptz NOT NULL,
    checked_by text NOT NULL
);
COMMENT ON TABLE person_check IS 'somebody made sure that this person is the one, and that it reaches him and nobody else';
CREATE INDEX person_check_mention ON person_check (mention_id, checked_at DESC);

CREATE TABLE safe_contact (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid NOT NULL REFERENCES report,
    mention_id uuid NOT NULL REFERENCES mention,
    channel text NOT NULL CHECK (channel IN ('mail', 'sms', 'phone')),
    address bytea NOT NULL,
    code_word bytea,
    weekdays smallint[] NOT NULL CHECK (weekdays <> '{}' AND weekdays <@ '{1,2,3,4,5,6,7}'),
    from_hour smallint NOT NULL CHECK (from_hour BETWEEN 0 AND 23),
    to_hour smallint NOT NULL CHECK (to_hour BETWEEN 1 AND 24),
    agreed_at timestamptz NOT NULL,
    agreed_by text NOT NULL,
    ended_at timestamptz,
    ended_by text,
    CHECK (from_hour < to_hour),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
COMMENT ON TABLE safe_contact IS 'how this person said that he can be reached safely; without a row: not at all';
COMMENT ON COLUMN safe_contact.address IS 'sealed';
COMMENT ON COLUMN safe_contact.code_word IS 'sealed; what a caller says so that the person knows who it is';
CREATE UNIQUE INDEX safe_contact_one ON safe_contact (mention_id, channel) WHERE ended_at IS NULL;

-- Mail and SMS hold a fixed text and nothing else. Once begun it is never sent again by itself.
CREATE TABLE notice (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL,
    report_id uuid REFERENCES report,
    template text NOT NULL,
    template_version text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('mail', 'sms')),
    contact_id uuid REFERENCES safe_contact,
    team_id uuid REFERENCES team,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'begun', 'sent', 'unknown')),
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    begun_at timestamptz,
    generation integer,
    sent_at timestamptz,
    settled_by text,
    CHECK ((contact_id IS NULL) <> (team_id IS NULL)),
    CHECK ((state = 'waiting') = (begun_at IS NULL)),
    CHECK ((begun_at IS NULL) = (generation IS NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
COMMENT ON COLUMN notice.generation IS 'of the job that began to send it: another that finds it begun does not send';
COMMENT ON COLUMN notice.state IS 'unknown: it was begun and nobody knows whether it went; a person decides';
CREATE INDEX notice_report ON notice (report_id);

-- ── what the gate asks: answers of yes and no, the same for every visitor ────────────────────────────────────

CREATE FUNCTION outbound_links(one uuid) RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT k.id), '{}') FROM mention m
    JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')
    JOIN link k ON k.person_id = l.person_id AND k.state IN ('new', 'automatic', 'confirmed')
    JOIN report r ON r.id = m.report_id
    WHERE m.report_id = one AND (visit_region() IS NULL OR r.region_id = visit_region())
$$;
COMMENT ON FUNCTION outbound_links IS 'the links that hold now between the persons of a report and all that is known of them';

CREATE FUNCTION outbound_facts(one uuid, at timestamptz) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT jsonb_build_object(
        'stands', r.destroyed_at IS NULL AND CASE
            WHEN o.kind = 'feedback' THEN EXISTS (
                SELECT FROM feedback WHERE id = o.subject_id AND state IN ('released', 'sent'))
            WHEN o.kind = 'handover' THEN EXISTS (SELECT FROM handover WHERE id = o.subject_id AND state = 'offered')
            WHEN o.kind = 'vto' THEN EXISTS (
                SELECT FROM handover WHERE id = o.subject_id AND state IN ('offered', 'accepted'))
            ELSE true END,
        'link_open', EXISTS (SELECT FROM link l JOIN mention m ON m.id = l.mention_id
            WHERE m.report_id = o.report_id AND l.state = 'proposed'),
        'link_changed', o.household_id IS DISTINCT FROM r.household_id AND o.household_id IS NOT NULL
            OR EXISTS (SELECT FROM unnest(o.links) AS was (id) LEFT JOIN link l
                ON l.id = was.id AND l.state IN ('new', 'automatic', 'confirmed') WHERE l.id IS NULL),
        'restricted_since', EXISTS (SELECT FROM restricted_report h JOIN restriction x ON x.id = h.restriction_id
            WHERE h.report_id = o.report_id AND x.lifted_at IS NULL AND x.set_at > o.released_at),
        'stopped', o.kind NOT IN ('reply', 'notice') AND EXISTS (SELECT FROM use_stop u WHERE u.report_id = o.report_id
            AND u.lifted_at IS NULL AND u.mention_id <> o.recipient_id),
        'excluded', EXISTS (SELECT FROM exclusion e JOIN link l ON l.person_id = e.person_id
            AND l.state IN ('new', 'automatic', 'confirmed', 'proposed') JOIN mention m ON m.id = l.mention_id
            WHERE m.report_id = o.report_id AND e.lifted_at IS NULL
            AND (o.recipient_kind = 'partner' AND e.team_id = o.recipient_id
                OR o.recipient_kind = 'staff' AND e.staff_id = o.recipient_id
                OR o.recipient_kind = 'sender' AND e.team_id = (SELECT team_id FROM sender WHERE id = o.recipient_id))),
        'recipient', CASE o.recipient_kind
            WHEN 'partner' THEN (
                SELECT jsonb_build_object('name', t.name, 'ended', coalesce(t.valid_to < at::date, false),
                    'verified_until', c.verified_until, 'domain_until', c.domain_until,
                    'certificate_until', c.certificate_until, 'mailbox', c.mailbox IS NOT NULL)
                FROM team t LEFT JOIN LATERAL (SELECT * FROM partner_check WHERE team_id = t.id AND checked_at <= at
                    ORDER BY checked_at DESC, id DESC LIMIT 1) c ON true
                WHERE t.id = o.recipient_id AND t.region_id = o.region_id)
            WHEN 'person' THEN (
                SELECT jsonb_build_object('how', c.how, 'checked_at', c.checked_at)
                FROM mention m LEFT JOIN LATERAL (SELECT * FROM person_check WHERE mention_id = m.id
                    AND checked_at <= at ORDER BY checked_at DESC, id DESC LIMIT 1) c ON true
                WHERE m.id = o.recipient_id AND m.region_id = o.region_id)
            WHEN 'sender' THEN (
                SELECT jsonb_build_object('name', s.name, 'revoked', s.revoked_at IS NOT NULL,
                    'proof', s.certificate_sha256 IS NOT NULL OR EXISTS (SELECT FROM sender_token t
                        WHERE t.sender_id = s.id AND t.revoked_at IS NULL
                        AND (t.expires_at IS NULL OR t.expires_at > at)))
                FROM sender s WHERE s.id = o.recipient_id AND s.region_id = o.region_id)
            ELSE (SELECT jsonb_build_object('name', s.name, 'active', s.active) FROM staff s
                WHERE s.id = o.recipient_id AND s.region_id = o.region_id)
            END)
    FROM outgoing o LEFT JOIN report r ON r.id = o.report_id
    WHERE o.id = one AND (visit_region() IS NULL OR o.region_id = visit_region())
$$;
COMMENT ON FUNCTION outbound_facts IS 'what the gate must know of one thing that leaves, also where its visitor may not see why';
REVOKE EXECUTE ON FUNCTION outbound_links, outbound_facts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION outbound_links, outbound_facts TO veilig_web, veilig_worker;

-- ── a task for a person when it waits for a second one, or was held ──────────────────────────────────────────

DO $$
DECLARE
    kinds text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO kinds FROM pg_constraint WHERE conname = 'task_kind_check';
    IF kinds NOT LIKE '%ARRAY[%' THEN
        RAISE EXCEPTION 'the kinds of a task are not a list';
    END IF;
    ALTER TABLE task DROP CONSTRAINT task_kind_check;
    EXECUTE 'ALTER TABLE task ADD CONSTRAINT task_kind_check '
        || regexp_replace(kinds, 'ARRAY\[', 'ARRAY[''outgoing''::text, ');
END $$;

-- ── what was under way ───────────────────────────────────────────────────────────────────────────────────────

-- Nobody is cut off by an upgrade: there are thirty days to look at each partner.
INSERT INTO partner_check (id, region_id, team_id, verified_until, how, checked_at, checked_by)
SELECT gen_random_uuid(), region_id, id, current_date + 30, 'Overgenomen uit een eerdere versie', now(), 'system'
FROM team WHERE kind <> 'veilig_thuis';
INSERT INTO outgoing (id, region_id, report_id, kind, subject_id, recipient_kind, recipient_id, parts, two_persons,
    state, made_by, made_at, released_by, released_at, links, household_id)
SELECT gen_random_uuid(), f.region_id, f.report_id, 'feedback', f.id, 'sender', r.sender_id, '{outcome,watch}', false,
    'released', f.released_by, f.released_at, f.released_by, f.released_at, outbound_links(r.id), r.household_id
FROM feedback f JOIN report r ON r.id = f.report_id
WHERE f.state IN ('released', 'sent') AND f.channel IN ('corv', 'json') AND f.released_by IS NOT NULL;
INSERT INTO outgoing (id, region_id, report_id, kind, subject_id, recipient_kind, recipient_id, parts, two_persons,
    state, made_by, made_at, released_by, released_at, links, household_id)
SELECT gen_random_uuid(), h.region_id, h.report_id, k.kind, h.id, 'partner', h.team_id,
    ARRAY(SELECT jsonb_array_elements_text(h.shares)) || 'form'::text, false,
    'released', h.offered_by, h.offered_at, h.offered_by, h.offered_at, outbound_links(r.id), r.household_id
FROM handover h JOIN report r ON r.id = h.report_id
CROSS JOIN (VALUES ('handover'), ('vto')) AS k (kind)
WHERE k.kind = 'handover' AND h.state = 'offered'
    OR k.kind = 'vto' AND EXISTS (SELECT FROM outgoing_message WHERE subject_id = h.id AND sent_at IS NULL);
INSERT INTO outgoing (id, region_id, report_id, kind, subject_id, recipient_kind, recipient_id, parts, two_persons,
    state, made_by, made_at, released_by, released_at, checked_at, sent_at, content_sha256)
SELECT gen_random_uuid(), l.region_id, l.report_id, CASE l.template WHEN 'feedback' THEN 'feedback_letter' ELSE
    l.template END, l.id, CASE WHEN l.mention_id IS NULL THEN 'sender' ELSE 'person' END,
    coalesce(l.mention_id, r.sender_id), '{letter}', false, CASE WHEN l.sent_at IS NULL THEN 'proposed' ELSE 'sent' END,
    l.made_by, l.made_at, CASE WHEN l.sent_at IS NOT NULL THEN coalesce(l.sent_by, l.made_by) END, l.sent_at,
    l.sent_at, l.sent_at, CASE WHEN l.sent_at IS NOT NULL THEN l.sha256 END
FROM letter l JOIN report r ON r.id = l.report_id;

SELECT secure_table('outgoing', 'report', 'SELECT, INSERT, UPDATE');
SELECT secure_table('outgoing_print', 'report', 'SELECT, INSERT');
SELECT secure_table('partner_check', 'region', 'SELECT, INSERT');
SELECT secure_table('person_check', 'report', 'SELECT, INSERT');
SELECT secure_table('safe_contact', 'mention', 'SELECT, INSERT, UPDATE');
SELECT secure_table('notice', 'report', 'SELECT, INSERT, UPDATE');
REVOKE UPDATE, DELETE ON partner_check FROM veilig_worker;
