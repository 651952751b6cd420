-- A decision that must be looked at again, because a link that it rested on was corrected, is a task for a person.
ALTER TABLE task DROP CONSTRAINT task_kind_check;
ALTER TABLE task ADD CONSTRAINT task_kind_check
    CHECK (kind IN ('assess', 'quarantine', 'dead_job', 'review_link', 'review_route'));

-- Until now only the audit trail said so: what it says is still to be done becomes a task.
INSERT INTO task (id, region_id, team_id, kind, subject_id, risk, received_at, due_at, opened_at)
SELECT gen_random_uuid(), marked.region_id, a.team_id, 'review_route', marked.object_id, coalesce(a.risk, 0),
    marked.at, marked.at, marked.at
FROM (
    SELECT DISTINCT ON (object_id) object_id, region_id, action, at FROM audit_entry
    WHERE action IN ('route.look_again', 'route.looked_again') ORDER BY object_id, at DESC, number DESC
) AS marked
LEFT JOIN LATERAL (
    SELECT team_id, risk FROM task WHERE kind = 'assess' AND subject_id = marked.object_id ORDER BY opened_at DESC LIMIT 1
) AS a ON true
WHERE marked.action = 'route.look_again';
