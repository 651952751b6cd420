-- A file that comes while somebody works on the report, or when its assessment is done, opens no task: it is told.

ALTER TABLE notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notification ADD CONSTRAINT notification_kind_check
    CHECK (kind IN ('task', 'note', 'handover', 'signed', 'returned', 'attachment'));

CREATE FUNCTION tell_of_attachment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told uuid[] := ARRAY(SELECT t.staff_id FROM task t
        WHERE t.report_id = NEW.report_id AND t.done_at IS NULL AND t.staff_id IS NOT NULL);
    author text := (SELECT a.submitted_by FROM assessment a
        WHERE a.report_id = NEW.report_id AND a.submitted_at IS NOT NULL ORDER BY a.submitted_at DESC LIMIT 1);
BEGIN
    IF EXISTS (SELECT FROM task t WHERE t.report_id = NEW.report_id AND t.kind = 'assess')
        AND NOT EXISTS (SELECT FROM task t WHERE t.report_id = NEW.report_id AND t.kind = 'assess' AND t.done_at IS NULL) THEN
        told := told || ARRAY(SELECT s.id FROM staff s WHERE s.region_id = NEW.region_id AND s.active
            AND s.username = author AND NOT is_away(s.away_until));
        -- Nobody is left who knows the report: a team lead decides who looks.
        IF cardinality(told) = 0 THEN
            told := ARRAY(SELECT s.id FROM staff s WHERE s.region_id = NEW.region_id AND s.active AND s.role = 'team_lead');
        END IF;
    END IF;
    PERFORM tell_staff(s.id, 'attachment', NEW.id, NEW.region_id, NEW.report_id)
    FROM staff s WHERE s.id = ANY (told) AND sees_report(s.id, NEW.report_id);
    RETURN NULL;
END $$;
CREATE TRIGGER tell_of_attachment AFTER INSERT ON attachment FOR EACH ROW EXECUTE FUNCTION tell_of_attachment();
