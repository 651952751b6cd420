-- Notes that colleagues leave on a report, and what a member of staff must hear of: work given to him, a note for him,
-- an answer to what he offered, a second signature or its refusal.

CREATE TABLE note (
    id uuid PRIMARY KEY,
    region_id uuid NOT NULL REFERENCES region,
    report_id uuid NOT NULL REFERENCES report,
    text text NOT NULL,
    for_staff_id uuid REFERENCES staff,
    written_by text NOT NULL,
    written_at timestamptz NOT NULL
);
CREATE INDEX note_report ON note (report_id, written_at);
COMMENT ON TABLE note IS 'a working note: written once, never edited; a correction is a next note';
CREATE FUNCTION note_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF gives_way(to_jsonb(OLD)) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION 'note is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER note_kept BEFORE UPDATE OR DELETE ON note FOR EACH ROW EXECUTE FUNCTION note_kept();

CREATE TABLE notification (
    staff_id uuid NOT NULL REFERENCES staff,
    kind text NOT NULL CHECK (kind IN ('task', 'note', 'handover', 'signed', 'returned')),
    subject_id uuid NOT NULL,
    at timestamptz NOT NULL,
    region_id uuid NOT NULL REFERENCES region,
    report_id uuid,
    actor text NOT NULL,
    seen_at timestamptz,
    PRIMARY KEY (staff_id, kind, subject_id, at)
);
CREATE INDEX notification_unseen ON notification (staff_id) WHERE seen_at IS NULL;
CREATE INDEX notification_staff ON notification (staff_id, at DESC);
COMMENT ON TABLE notification IS 'what a member of staff must hear of; holds no content';

-- Whoever acts is named by who is signed in; what a worker or the clock does is the system's.
CREATE FUNCTION acting() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$SELECT coalesce((SELECT username FROM staff WHERE id = visit_staff()), 'system')$$;

CREATE FUNCTION tell_staff(staff uuid, kind text, subject uuid, region uuid, report uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO notification (staff_id, kind, subject_id, at, region_id, report_id, actor)
    SELECT staff, kind, subject, now(), region, report, acting()
    WHERE staff IS NOT NULL AND staff IS DISTINCT FROM visit_staff()
    ON CONFLICT DO NOTHING
$$;
REVOKE EXECUTE ON FUNCTION tell_staff FROM PUBLIC;

CREATE FUNCTION tell_of_task() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM tell_staff(NEW.staff_id, 'task', NEW.id, NEW.region_id, NEW.report_id);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_task AFTER UPDATE OF staff_id ON task FOR EACH ROW
    WHEN (NEW.staff_id IS NOT NULL AND NEW.staff_id IS DISTINCT FROM OLD.staff_id AND NEW.done_at IS NULL)
    EXECUTE FUNCTION tell_of_task();

CREATE FUNCTION tell_of_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM tell_staff(NEW.for_staff_id, 'note', NEW.id, NEW.region_id, NEW.report_id);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_note AFTER INSERT ON note FOR EACH ROW WHEN (NEW.for_staff_id IS NOT NULL)
    EXECUTE FUNCTION tell_of_note();

CREATE FUNCTION tell_of_answer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM tell_staff(s.id, 'handover', NEW.id, NEW.region_id, NEW.report_id)
    FROM staff s WHERE s.region_id = NEW.region_id AND s.username = NEW.offered_by AND s.active;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_answer AFTER UPDATE OF state ON handover FOR EACH ROW
    WHEN (OLD.state = 'offered' AND NEW.state IN ('accepted', 'refused')) EXECUTE FUNCTION tell_of_answer();

CREATE FUNCTION tell_of_signature() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    signed boolean := NEW.signed_at IS NOT NULL AND OLD.signed_at IS NULL;
BEGIN
    PERFORM tell_staff(s.id, CASE WHEN signed THEN 'signed' ELSE 'returned' END, NEW.id, NEW.region_id, NEW.report_id)
    FROM staff s WHERE s.region_id = NEW.region_id AND s.active
        AND s.username = CASE WHEN signed THEN NEW.submitted_by ELSE coalesce(OLD.submitted_by, NEW.saved_by) END;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_signature AFTER UPDATE OF signed_at, returned_at ON assessment FOR EACH ROW
    WHEN (NEW.signed_at IS DISTINCT FROM OLD.signed_at OR NEW.returned_at IS DISTINCT FROM OLD.returned_at)
    EXECUTE FUNCTION tell_of_signature();

SELECT secure_table('note', 'report', 'SELECT, INSERT');
REVOKE UPDATE, DELETE ON note FROM veilig_worker;
SELECT secure_table('notification', 'own', 'SELECT, UPDATE (seen_at)');
REVOKE DELETE ON notification FROM veilig_worker;

ALTER FUNCTION texts_of_file() RENAME TO texts_of_file_before_notes;
CREATE FUNCTION texts_of_file() RETURNS TABLE (name text, field text, whose text) LANGUAGE sql IMMUTABLE AS $$
    SELECT * FROM texts_of_file_before_notes() UNION ALL VALUES ('note', 'text', 'report_id')
$$;
