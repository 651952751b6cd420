-- Calls that are being recorded: what is typed while somebody talks, sealed, until it became a report, an advice or
-- nothing. Then the content goes, and its key with it; what stays says who took the call, when, and how it ended.

CREATE TABLE intake_draft (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    staff_id uuid NOT NULL REFERENCES staff,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 0,
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL,
    content bytea CHECK (is_sealed(content)),
    outcome text CHECK (outcome IN ('report', 'advice', 'ended', 'removed')),
    outcome_id uuid,
    done_by text,
    done_at timestamptz,
    reason text CHECK (reason <> ''),
    CHECK (num_nulls(outcome, done_by, done_at) IN (0, 3)),
    CHECK ((content IS NULL) = (done_at IS NOT NULL)),
    CHECK ((outcome_id IS NOT NULL) = (coalesce(outcome, '') IN ('report', 'advice'))),
    CHECK (reason IS NOT NULL OR coalesce(outcome, '') <> 'removed')
);
CREATE INDEX intake_draft_open ON intake_draft (region_id, saved_at) WHERE done_at IS NULL;
COMMENT ON COLUMN intake_draft.staff_id IS 'who has the call: who began it, or took it over';
COMMENT ON COLUMN intake_draft.version IS 'one more at each save, so that two windows do not write over each other';
COMMENT ON COLUMN intake_draft.content IS 'sealed by the data key of this draft: what was typed, as typed; gone when it is done';
COMMENT ON COLUMN intake_draft.outcome_id IS 'the report or the advice; no foreign key: this line may outlive it';

CREATE FUNCTION draft_ends() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.done_at IS NOT NULL THEN
        RAISE EXCEPTION 'a call that is done is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.done_at IS NOT NULL THEN
        DELETE FROM data_key WHERE id = NEW.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER draft_ends BEFORE UPDATE ON intake_draft FOR EACH ROW EXECUTE FUNCTION draft_ends();
COMMENT ON FUNCTION draft_ends IS 'with the content of a call goes its key, so that older copies of it cannot be read either';

SELECT secure_table('intake_draft', 'region', 'SELECT, INSERT, UPDATE');
