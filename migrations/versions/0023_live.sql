-- Short-lived tokens, webhooks, and visits of senders; and what tells an open page that something changed.

-- ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────
-- long: what a sender keeps; short: what it trades that for (OAuth 2.0, RFC 6749 4.4); page: a visit to its own page.
-- All three are rows of one table, so that `visit()` and `MAY_SEND` hold for them without a word more.

ALTER TABLE sender_token ADD COLUMN kind text NOT NULL DEFAULT 'long' CHECK (kind IN ('long', 'short', 'page')),
    ADD CONSTRAINT sender_token_short CHECK (kind = 'long' OR expires_at IS NOT NULL);
CREATE INDEX sender_token_passing ON sender_token (expires_at) WHERE kind <> 'long';

-- The door trades; it can make nothing that lasts.
GRANT INSERT ON sender_token TO veilig_door;
CREATE POLICY passing_only ON sender_token AS RESTRICTIVE FOR INSERT TO veilig_door
    WITH CHECK (kind <> 'long' AND expires_at <= now() + interval '61 minutes' AND revoked_at IS NULL);

-- As in migration 0017, of the long tokens only: the others come and go by themselves.
CREATE OR REPLACE FUNCTION sender_facts(region uuid, since timestamptz)
    RETURNS TABLE (sender_id uuid, tokens bigint, token_until timestamptz, reports bigint, quarantined bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, (SELECT count(*) FROM sender_token t WHERE t.sender_id = s.id AND t.kind = 'long'
            AND t.revoked_at IS NULL AND coalesce(t.expires_at, 'infinity') > now()),
        (SELECT max(t.expires_at) FROM sender_token t WHERE t.sender_id = s.id AND t.kind = 'long'
            AND t.revoked_at IS NULL AND t.expires_at > now()),
        count(m.id) FILTER (WHERE m.outcome = 'report'), count(m.id) FILTER (WHERE m.outcome = 'quarantine')
    FROM sender s LEFT JOIN message m ON m.sender_id = s.id AND m.received_at >= since
    WHERE s.region_id = region AND NOT s.own AND register_keeper(region, '{administrator,team_lead}')
    GROUP BY s.id
$$;

CREATE TABLE sender_refusal (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    origin text NOT NULL CHECK (length(origin) <= 60)
);
CREATE INDEX sender_refusal_origin ON sender_refusal (origin, at);
COMMENT ON TABLE sender_refusal IS 'wrong pairs of a client id and a secret, by network address, until they are forgotten';
SELECT secure_table('sender_refusal', 'closed', '');
SELECT at_the_door('sender_refusal', 'SELECT, INSERT');

-- ── a sender on its own page: its own references and moments, nothing of a family ───────────────────────────────

CREATE FUNCTION visit_sender() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT (v).sender_id FROM visit() v';

CREATE FUNCTION own_tokens() RETURNS TABLE (created_at timestamptz, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.created_at, t.expires_at FROM sender_token t
    WHERE t.sender_id = visit_sender() AND t.kind = 'long' AND t.revoked_at IS NULL
        AND (t.expires_at IS NULL OR t.expires_at > now())
    ORDER BY t.created_at DESC
$$;

CREATE FUNCTION own_token_rotate(secret bytea, fresh uuid, fresh_hash bytea, overlap interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    me uuid := visit_sender();
BEGIN
    -- Only with the newest token: one that is running out cannot give itself a new life.
    PERFORM FROM sender_token t WHERE t.sender_id = me AND t.kind = 'long' AND t.token_hash = secret
        AND t.revoked_at IS NULL AND t.expires_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE sender_token SET expires_at = least(expires_at, now() + overlap)
    WHERE sender_id = me AND kind <> 'page' AND revoked_at IS NULL;
    INSERT INTO sender_token (id, sender_id, token_hash) VALUES (fresh, me, fresh_hash);
    RETURN true;
END $$;
COMMENT ON FUNCTION own_token_rotate IS 'a new token for who knows the newest one; false when it was not that one';

CREATE FUNCTION own_visit_end() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE sender_token SET revoked_at = clock_timestamp()
    WHERE kind = 'page' AND sender_id = visit_sender() AND revoked_at IS NULL
        AND id::text = substr(current_setting('veilig.key', true), 8)
$$;

CREATE FUNCTION own_deliveries(since date) RETURNS TABLE (day date, outcome text, number bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (m.received_at AT TIME ZONE 'Europe/Amsterdam')::date, m.outcome, count(*) FROM message m
    WHERE m.sender_id = visit_sender() AND m.received_at >= since::timestamp AT TIME ZONE 'Europe/Amsterdam'
    GROUP BY 1, 2
$$;

CREATE FUNCTION own_messages(which text, most integer)
    RETURNS TABLE (reference text, received_at timestamptz, code text, resolved_at timestamptz, remarks jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.reference, m.received_at, q.code, q.resolved_at, r.remarks
    FROM message m LEFT JOIN report r ON r.message_id = m.id LEFT JOIN quarantine q ON q.message_id = m.id
    WHERE m.sender_id = visit_sender() AND (
        which = 'quarantine' AND q.id IS NOT NULL OR which = 'remarks' AND r.remarks <> '[]')
    ORDER BY m.received_at DESC, m.id DESC LIMIT most
$$;

CREATE FUNCTION own_feedback(most integer) RETURNS TABLE (reference text, released_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.reference, f.released_at FROM feedback f
    JOIN report r ON r.id = f.report_id JOIN message m ON m.id = r.message_id
    JOIN outgoing o ON o.kind = 'feedback' AND o.subject_id = f.id AND o.state = 'released'
    WHERE r.sender_id = visit_sender() AND f.state = 'released' AND f.channel = 'json'
    ORDER BY f.released_at, f.id LIMIT most
$$;
COMMENT ON FUNCTION own_feedback IS 'which of a sender''s own references have feedback that it did not fetch yet';

REVOKE EXECUTE ON FUNCTION own_tokens, own_token_rotate, own_visit_end, own_deliveries, own_messages, own_feedback
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_tokens, own_token_rotate, own_visit_end, own_deliveries, own_messages, own_feedback
    TO veilig_web;

-- ── webhooks: that there is something, never what ────────────────────────────────────────────────────────────────

ALTER TABLE sender ADD COLUMN webhook_url text CHECK (webhook_url ~ '^https?://' AND length(webhook_url) <= 500),
    ADD COLUMN webhook_secret bytea,
    ADD CONSTRAINT sender_webhook CHECK ((webhook_url IS NULL) = (webhook_secret IS NULL) AND NOT (own AND webhook_url IS NOT NULL));
COMMENT ON COLUMN sender.webhook_secret IS 'what our callbacks are signed with, sealed (core.sealing)';
GRANT UPDATE (webhook_url, webhook_secret) ON sender TO veilig_web;

CREATE TABLE webhook_event (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    sender_id uuid NOT NULL REFERENCES sender,
    kind text NOT NULL CHECK (kind IN ('feedback', 'test')),
    subject_id uuid NOT NULL,
    reference text NOT NULL CHECK (length(reference) <= 40),
    at timestamptz NOT NULL,
    sent_at timestamptz,
    UNIQUE (kind, subject_id)
);
CREATE INDEX webhook_event_sender ON webhook_event (sender_id, at);
COMMENT ON COLUMN webhook_event.reference IS 'the sender''s own reference; the callback holds this, the kind and the moment';
SELECT secure_table('webhook_event', 'region', 'SELECT, INSERT, UPDATE');
CREATE POLICY of_sender ON webhook_event FOR SELECT TO veilig_web USING (sender_id = (SELECT visit_sender()));
CREATE POLICY of_sender_new ON webhook_event FOR INSERT TO veilig_web
    WITH CHECK (sender_id = (SELECT visit_sender()) AND region_id = (SELECT visit_region()) AND kind = 'test');

CREATE FUNCTION forget_of_senders(before timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM sender_token WHERE kind <> 'long' AND expires_at < least(before, now() - interval '1 hour');
    DELETE FROM sender_refusal WHERE at < before;
    DELETE FROM webhook_event WHERE sent_at < before - interval '30 days'
$$;
REVOKE EXECUTE ON FUNCTION forget_of_senders FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_of_senders TO veilig_worker;

-- ── live: a number that is another one when something changed, and says nothing else ─────────────────────────────
-- Rows carry the transaction that wrote them (xmin), so nothing is counted up on the way in and no commit waits.

CREATE FUNCTION live_numbers(region uuid, reports uuid[]) RETURNS TABLE (subject uuid, number bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NULL::uuid, hashtextextended(concat_ws('.', count(*), sum(t.xmin::text::bigint)), 0) & 9007199254740991
    FROM task t WHERE t.region_id = region AND t.done_at IS NULL
    UNION ALL
    SELECT r.id, hashtextextended(concat_ws('.', r.xmin::text,
        (SELECT concat_ws('.', count(*), sum(t.xmin::text::bigint)) FROM task t WHERE t.report_id = r.id),
        (SELECT concat_ws('.', count(*), sum(l.xmin::text::bigint)) FROM mention m JOIN link l ON l.mention_id = m.id
         WHERE m.report_id = r.id)), 0) & 9007199254740991
    FROM report r WHERE r.id = ANY (reports) AND r.region_id = region
$$;
COMMENT ON FUNCTION live_numbers IS
    'for the one poller of a process: of a region (no subject: its open tasks) and of some of its reports';
CREATE FUNCTION live_number(report uuid) RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT n.number FROM live_numbers(visit_region(), array_remove(ARRAY[report], NULL)) n
    WHERE n.subject IS NOT DISTINCT FROM report
$$;
REVOKE EXECUTE ON FUNCTION live_numbers, live_number FROM PUBLIC;
GRANT EXECUTE ON FUNCTION live_numbers TO veilig_door;
GRANT EXECUTE ON FUNCTION live_number TO veilig_web;

CREATE FUNCTION visit_member_quiet()
    RETURNS TABLE (id uuid, region_id uuid, username text, name text, role text, team_id uuid,
        stepped_up_until timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.region_id, s.username, s.name, s.role, s.team_id, t.stepped_up_until
    FROM staff s JOIN staff_session t ON t.staff_id = s.id
    WHERE s.id = visit_staff()
        AND t.token_hash = sha256(convert_to(substr(current_setting('veilig.key', true), 7), 'UTF8'))
$$;
COMMENT ON FUNCTION visit_member_quiet IS
    'as visit_member, for what a page does by itself: a page that stands open does not keep its session alive';
