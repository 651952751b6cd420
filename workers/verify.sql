-- The rules that always hold, a query each: how many things were checked, and how many break the rule.
-- A heading names the rule by its number in docs/architecture.md.

-- rule 1: the stored bytes of each message have the hash stored beside them
SELECT count(*) AS checked, count(*) FILTER (WHERE sha256(raw) <> content_sha256) AS breaches
FROM message;

-- rule 1: the same bytes of a sender are stored once
SELECT count(*) AS checked, coalesce(sum(n - 1), 0) AS breaches
FROM (SELECT count(*) AS n FROM message GROUP BY sender_id, content_sha256) AS same;

-- rule 1: a reference of a sender has one report
SELECT count(*) AS checked, coalesce(sum(n - 1), 0) AS breaches
FROM (SELECT count(*) AS n FROM message WHERE outcome = 'report' AND reference IS NOT NULL GROUP BY sender_id,
    reference) AS same;

-- rule 2: each message is exactly one of report and quarantine
SELECT count(*) AS checked, count(*) FILTER (WHERE (r.id IS NULL) = (q.id IS NULL) OR (m.outcome = 'report') <>
    (r.id IS NOT NULL)) AS breaches
FROM message m
LEFT JOIN report r ON r.message_id = m.id
LEFT JOIN quarantine q ON q.message_id = m.id;

-- rule 2: each quarantined message has exactly one open task until a person ended it
SELECT count(*) AS checked, count(*) FILTER (WHERE t.n <> (q.resolved_at IS NULL)::int) AS breaches
FROM quarantine q
CROSS JOIN LATERAL (SELECT count(*) AS n FROM task WHERE kind = 'quarantine' AND subject_id = q.id AND done_at
    IS NULL) AS t;

-- rule 2: each dead job has exactly one open task
SELECT count(*) AS checked, count(*) FILTER (WHERE t.n <> 1) AS breaches
FROM job j
CROSS JOIN LATERAL (SELECT count(*) AS n FROM task WHERE kind = 'dead_job' AND subject_id = j.id AND done_at IS
    NULL) AS t
WHERE j.state = 'dead';

-- rule 2: each open task is about something that is still open
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT CASE t.kind
    WHEN 'acute_check' THEN EXISTS (SELECT FROM report r WHERE r.id = t.subject_id AND r.state = 'received')
    WHEN 'direct_action' THEN EXISTS (SELECT FROM acute_check a WHERE a.report_id = t.subject_id AND a.acute
        AND a.ended_at IS NULL)
    WHEN 'assess' THEN EXISTS (SELECT FROM report r WHERE r.id = t.subject_id AND r.state IN ('received', 'assessing',
        'signing'))
    WHEN 'sign' THEN EXISTS (SELECT FROM report r WHERE r.id = t.subject_id AND r.state = 'signing')
    WHEN 'recheck' THEN EXISTS (SELECT FROM report r WHERE r.id = t.subject_id AND r.state IN ('received', 'assessing',
        'signing', 'handover'))
    WHEN 'handover' THEN EXISTS (SELECT FROM report r WHERE r.id = t.subject_id AND r.state = 'handover')
    WHEN 'service' THEN EXISTS (SELECT FROM service v WHERE v.id = t.subject_id AND v.ended_at IS NULL)
    WHEN 'monitor' THEN EXISTS (SELECT FROM monitoring_moment m WHERE m.id = t.subject_id AND m.held_at IS NULL
        AND m.dropped_at IS NULL) OR EXISTS (SELECT FROM report r WHERE r.id = t.subject_id AND r.state = 'monitoring')
    WHEN 'feedback' THEN EXISTS (SELECT FROM feedback f WHERE f.id = t.subject_id AND f.state IN ('draft', 'released'))
    WHEN 'notify' THEN EXISTS (SELECT FROM deadline d WHERE d.report_id = t.subject_id AND d.kind = 'person_notice'
        AND d.met_at IS NULL AND d.dropped_at IS NULL)
    WHEN 'inform' THEN EXISTS (SELECT FROM contact c WHERE c.id = t.subject_id)
    WHEN 'person_request' THEN EXISTS (SELECT FROM person_request q WHERE q.id = t.subject_id AND q.answered_at IS NULL)
    WHEN 'quarantine' THEN EXISTS (SELECT FROM quarantine q WHERE q.id = t.subject_id AND q.resolved_at IS NULL)
    WHEN 'dead_job' THEN EXISTS (SELECT FROM job j WHERE j.id = t.subject_id AND j.state = 'dead')
    WHEN 'review_route' THEN EXISTS (SELECT FROM route x WHERE x.report_id = t.subject_id AND x.state = 'decided')
    WHEN 'review_link' THEN EXISTS (SELECT FROM link l WHERE l.id = t.subject_id AND l.state = 'proposed')
    END) AS breaches
FROM task t
WHERE t.done_at IS NULL;

-- rule 3: each report has exactly one safety-assessment deadline; one of an old system's register has none
SELECT count(*) AS checked, count(*) FILTER (WHERE d.n <> (m.channel <> 'import')::int) AS breaches
FROM report r
JOIN message m ON m.id = r.message_id
CROSS JOIN LATERAL (SELECT count(*) AS n FROM deadline WHERE kind = 'safety_assessment' AND subject_id = r.id)
    AS d;

-- rule 3: each deadline stands where its last ledger entry put it
SELECT count(*) AS checked, count(*) FILTER (WHERE e.due_at IS DISTINCT FROM d.due_at OR e.norm_due_on <>
    d.norm_due_on OR e.legal_due_on <> d.legal_due_on) AS breaches
FROM deadline d
LEFT JOIN LATERAL (SELECT * FROM deadline_entry WHERE deadline_id = d.id ORDER BY number DESC LIMIT 1) AS e ON
    true;

-- rule 3: each report that came in here has exactly one acute check with its moment
SELECT count(*) AS checked, count(*) FILTER (WHERE d.n <> 1) AS breaches
FROM report_step s
CROSS JOIN LATERAL (SELECT count(*) AS n FROM deadline WHERE kind = 'acute_check' AND subject_id = s.report_id) AS d
WHERE s.number = 1 AND s.state = 'received';

-- rule 3: a report waits for its assessment exactly while that is an open task
SELECT count(*) AS checked, count(*) FILTER (WHERE t.open <> (r.state IN ('received', 'assessing', 'signing'))::int)
    AS breaches
FROM report r
CROSS JOIN LATERAL (SELECT count(*) AS open FROM task WHERE kind = 'assess' AND subject_id = r.id AND done_at IS
    NULL) AS t
WHERE r.state <> 'imported';

-- rule 3: an assessment deadline is met by a decision, and falls away only for a form that is no report
SELECT count(*) AS checked, count(*) FILTER (WHERE (d.dropped_at IS NOT NULL) <> (r.state = 'forwarded') OR d.met_at
    IS NULL AND r.state NOT IN ('received', 'assessing', 'signing', 'forwarded')) AS breaches
FROM deadline d
JOIN report r ON r.id = d.subject_id
WHERE d.kind = 'safety_assessment';

-- rule 3: the first check of what is acute is done before the assessment
SELECT count(*) AS checked, count(*) FILTER (WHERE (r.state = 'received') <> (d.met_at IS NULL AND d.dropped_at IS
    NULL)) AS breaches
FROM deadline d
JOIN report r ON r.id = d.subject_id
WHERE d.kind = 'acute_check' AND NOT EXISTS (SELECT FROM forwarding f WHERE f.report_id = r.id AND f.retrieved_at IS NOT
    NULL);

-- rule 4: no assessment was ended by the clock or by the machine
SELECT count(*) AS checked, count(*) FILTER (WHERE done_by IN ('system', 'clock')) AS breaches
FROM task
WHERE kind = 'assess' AND done_at IS NOT NULL;

-- rule 5: each open case has exactly one holder of the safety watch, each closed case none
SELECT count(*) AS checked, count(*) FILTER (WHERE w.n <> (c.closed_at IS NULL)::int) AS breaches
FROM cases c
CROSS JOIN LATERAL (SELECT count(*) AS n FROM safety_watch WHERE case_id = c.id AND until IS NULL) AS w;

-- rule 5: the safety watch of a case has no gap and no overlap
SELECT count(*) AS checked, count(*) FILTER (WHERE since <> before) AS breaches
FROM (SELECT w.since, coalesce(lag(w.until) OVER (PARTITION BY w.case_id ORDER BY w.since, w.id), c.opened_at)
    AS before FROM safety_watch w JOIN cases c ON c.id = w.case_id) AS line;

-- rule 5: from the acceptance of a handover on that partner has the watch, until it goes to somebody else
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM safety_watch w WHERE w.holder = 'partner' AND
    w.team_id = h.team_id AND w.region_id = h.region_id AND coalesce(w.until, 'infinity') >= h.answered_at)) AS breaches
FROM handover h
WHERE h.state = 'accepted' AND h.takes_watch;

-- rule 5: a partner holds the watch only by an accepted handover
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM handover h WHERE h.state = 'accepted' AND
    h.takes_watch AND h.team_id = w.team_id AND h.region_id = w.region_id)) AS breaches
FROM safety_watch w
WHERE w.holder = 'partner';

-- rule 6: each link has reasons and the rule set that made it
SELECT count(*) AS checked, count(*) FILTER (WHERE rule_set = '' OR (state IN ('automatic', 'proposed') AND
    jsonb_array_length(reasons) = 0)) AS breaches
FROM link;

-- rule 6: each question about a link has exactly one open task, each answered one none
SELECT count(*) AS checked, count(*) FILTER (WHERE t.n <> (l.state = 'proposed')::int) AS breaches
FROM link l
CROSS JOIN LATERAL (SELECT count(*) AS n FROM task WHERE kind = 'review_link' AND subject_id = l.id
    AND done_at IS NULL) AS t;

-- rule 6: what a person rejected is nowhere linked
SELECT count(*) AS checked, count(*) FILTER (WHERE EXISTS (SELECT FROM link a WHERE a.mention_id = l.mention_id
    AND a.person_id = l.person_id AND a.state IN ('new', 'automatic', 'confirmed'))) AS breaches
FROM link l
WHERE l.state = 'rejected';

-- rule 6: only who is linked feeds the blocking keys
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM link l WHERE
    l.person_id = k.person_id AND l.state IN ('new', 'automatic', 'confirmed'))) AS breaches
FROM person_key k;

-- rule 6: who is linked has a profile, who is nobody any more has none
SELECT count(*) AS checked, count(*) FILTER (WHERE (p.profile IS NOT NULL) <> EXISTS (SELECT FROM link l WHERE
    l.person_id = p.id AND l.state IN ('new', 'automatic', 'confirmed'))) AS breaches
FROM person p;

-- rule 8: no job waits longer than fifteen minutes
SELECT count(*) AS checked, count(*) FILTER (WHERE due_at < now() - interval '15 minutes') AS breaches
FROM job
WHERE state = 'new';

-- rule 8: no lease is long past its end, no job was tried too often
SELECT count(*) AS checked, count(*) FILTER (WHERE leased_until < now() - interval '60 seconds' OR attempts > 5)
    AS breaches
FROM job
WHERE state IN ('leased', 'new');

-- rule 9: each message and each decision has its audit row
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM audit_entry a WHERE a.object_id =
    s.id AND a.action = s.action)) AS breaches
FROM ( SELECT r.id, 'report.receive' AS action FROM report r JOIN message m ON m.id = r.message_id WHERE m.channel
    <> 'import' UNION ALL SELECT id, 'quarantine.receive' FROM
    quarantine UNION ALL SELECT report_id, 'route.decide' FROM route WHERE state = 'decided') AS s;

-- rule 11: what belongs together is in one region
SELECT count(*) AS checked, count(*) FILTER (WHERE m.region_id <> r.region_id OR n.region_id <> r.region_id OR
    h.region_id <> r.region_id OR c.region_id <> r.region_id) AS breaches
FROM report r
JOIN message m ON m.id = r.message_id
JOIN mention n ON n.report_id = r.id
LEFT JOIN household h ON h.id = r.household_id
LEFT JOIN cases c ON c.id = r.case_id;

-- rule 12: each report is linked and routed once, when its jobs say so; a form that was sent on is neither
SELECT count(*) AS checked, count(*) FILTER (WHERE j.kind = 'link_report' AND r.linked_at IS NULL OR j.kind =
    'route_report' AND NOT EXISTS (SELECT FROM route x WHERE x.report_id = r.id)) AS breaches
FROM job j
JOIN report r ON r.id = j.subject_id
WHERE j.state = 'done' AND r.state <> 'forwarded';

-- rule 12: a report is in the case of its own household
SELECT count(*) AS checked, count(*) FILTER (WHERE c.household_id <> r.household_id) AS breaches
FROM report r
JOIN cases c ON c.id = r.case_id;

-- rule 6: a signal in force stands at the household and the case of its report
SELECT count(*) AS checked, count(*) FILTER (WHERE s.household_id IS DISTINCT FROM r.household_id OR s.case_id IS
    DISTINCT FROM r.case_id) AS breaches
FROM signal s
JOIN report r ON r.id = s.report_id
WHERE s.withdrawn_at IS NULL;

-- rule 11: a signal rests on reports of its own region only
SELECT count(*) AS checked, count(*) FILTER (WHERE s.region_id <> r.region_id OR EXISTS (SELECT FROM report e WHERE
    e.id = ANY(s.evidence) AND e.region_id <> s.region_id)) AS breaches
FROM signal s
JOIN report r ON r.id = s.report_id;

-- rule 12: each report that was linked has its earlier involvement
SELECT count(*) AS checked, count(*) FILTER (WHERE i.report_id IS NULL) AS breaches
FROM job j
JOIN report r ON r.id = j.subject_id
LEFT JOIN involvement i ON i.report_id = r.id
WHERE j.kind = 'link_report' AND j.state = 'done' AND r.state <> 'forwarded';

-- rule 12: a form that was sent on rests nowhere in the radar: no link, no household, no case
SELECT count(*) AS checked, count(*) FILTER (WHERE r.household_id IS NOT NULL OR r.case_id IS NOT NULL OR EXISTS
    (SELECT FROM mention m JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed', 'proposed')
    WHERE m.report_id = r.id)) AS breaches
FROM forwarding f
JOIN report r ON r.id = f.report_id
WHERE f.retrieved_at IS NULL AND f.forwarded_to <> 'niet vastgelegd';

-- rule 6: each decision to look at again has exactly one open task, each other decision none
SELECT count(*) AS checked, count(*) FILTER (WHERE t.n <> (m.action IS NOT DISTINCT FROM 'route.look_again')::int)
    AS breaches
FROM route x
LEFT JOIN LATERAL (SELECT action FROM audit_entry WHERE object_id = x.report_id AND action IN ('route.look_again',
    'route.looked_again') ORDER BY at DESC, number DESC LIMIT 1) AS m ON true
CROSS JOIN LATERAL (SELECT count(*) AS n FROM task WHERE kind = 'review_route' AND subject_id = x.report_id AND
    done_at IS NULL) AS t
WHERE x.state = 'decided';

-- rule 6: each rule set in force was rehearsed to the end in its own region before
SELECT count(*) AS checked, count(*) FILTER (WHERE r.region_id <> a.region_id OR r.version <> a.version OR
    r.rule_set_id IS DISTINCT FROM a.rule_set_id OR r.finished_at IS NULL) AS breaches
FROM rule_activation a
JOIN rehearsal r ON r.id = a.rehearsal_id;

-- rule 6: a missed link that the blind sample found was put as a question, never linked unasked
SELECT count(*) AS checked, count(*) FILTER (WHERE l.state = 'automatic' OR l.region_id <> q.region_id) AS breaches
FROM quality_sample q
JOIN link l ON l.id = q.proposal_id;

-- rule 13: each report stands where its last step put it, and its steps are numbered without a gap
SELECT count(*) AS checked, count(*) FILTER (WHERE s.state IS DISTINCT FROM r.state OR s.number <> s.n) AS breaches
FROM report r
LEFT JOIN LATERAL (SELECT state, number, count(*) OVER () AS n FROM report_step WHERE report_id = r.id
    ORDER BY number DESC LIMIT 1) AS s ON true
WHERE r.state <> 'imported';

-- rule 13: a decision of ours that was signed has a second person's name on it
SELECT count(*) AS checked, count(*) FILTER (WHERE a.signed_by = a.submitted_by OR x.decided_at IS NULL) AS breaches
FROM assessment a
LEFT JOIN LATERAL (SELECT decided_at FROM route WHERE report_id = a.report_id AND decided_at = a.signed_at LIMIT 1)
    AS x ON true
WHERE a.signed_at IS NOT NULL;

-- rule 13: a report that runs with Veilig Thuis has exactly one running service, every other none; a decision that is
-- being revised may leave one running until it is taken again
SELECT count(*) AS checked, count(*) FILTER (WHERE CASE WHEN r.state IN ('assessing', 'signing') THEN v.n > 1
    ELSE v.n <> (r.state IN ('conditions', 'investigation', 'regional_task'))::int END) AS breaches
FROM report r
CROSS JOIN LATERAL (SELECT count(*) AS n FROM service WHERE report_id = r.id AND ended_at IS NULL) AS v
WHERE r.state <> 'imported';

-- rule 13: an open offer that takes the watch is for a report that is being handed over
SELECT count(*) AS checked, count(*) FILTER (WHERE h.takes_watch AND r.state <> 'handover' OR d.n <> 1) AS breaches
FROM handover h
JOIN report r ON r.id = h.report_id
CROSS JOIN LATERAL (SELECT count(*) AS n FROM deadline WHERE kind = 'handover_answer' AND subject_id = h.id AND met_at
    IS NULL AND dropped_at IS NULL) AS d
WHERE h.state = 'offered';

-- rule 13: a report that is being handed over has an open offer, or a task to make one
SELECT count(*) AS checked, count(*) FILTER (WHERE o.n + t.n = 0) AS breaches
FROM report r
CROSS JOIN LATERAL (SELECT count(*) AS n FROM handover WHERE report_id = r.id AND state = 'offered' AND takes_watch)
    AS o
CROSS JOIN LATERAL (SELECT count(*) AS n FROM task WHERE kind = 'handover' AND subject_id = r.id AND done_at IS NULL)
    AS t
WHERE r.state = 'handover';

-- rule 14: each running service and each feedback to be released has exactly one open task
SELECT count(*) AS checked, count(*) FILTER (WHERE t.n <> 1) AS breaches
FROM (SELECT id, 'service' AS kind FROM service WHERE ended_at IS NULL
    UNION ALL SELECT id, 'feedback' FROM feedback WHERE state = 'draft'
    UNION ALL SELECT id, 'person_request' FROM person_request WHERE answered_at IS NULL) AS one
CROSS JOIN LATERAL (SELECT count(*) AS n FROM task WHERE kind = one.kind AND subject_id = one.id AND done_at IS NULL)
    AS t;

-- rule 14: no extension of a notice to a person is longer than two weeks, each has its reason and its decider
SELECT count(*) AS checked, count(*) FILTER (WHERE e.weeks > 2 AND d.kind = 'person_notice' OR e.reason = '' OR
    e.actor = '') AS breaches
FROM deadline_entry e
JOIN deadline d ON d.id = e.deadline_id
WHERE e.kind = 'extension';

-- rule 15: feedback that was released for the feed is exactly one outgoing message
SELECT count(*) AS checked, count(*) FILTER (WHERE o.n <> 1) AS breaches
FROM feedback f
CROSS JOIN LATERAL (SELECT count(*) AS n FROM outgoing_message WHERE subject_id = f.id) AS o
WHERE f.channel = 'corv' AND f.state IN ('released', 'sent');

-- rule 15: each outgoing message that was not sent and has an address has a job that waits, runs or is dead
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM job j WHERE j.kind = 'send_message' AND
    j.subject_id = o.id)) AS breaches
FROM outgoing_message o
LEFT JOIN sender s ON s.id = o.sender_id AND s.revoked_at IS NULL
LEFT JOIN team t ON t.id = o.team_id
WHERE o.sent_at IS NULL AND coalesce(s.reply_url, t.delivery_url, '') <> ''
    AND o.created_at < now() - interval '15 minutes';
