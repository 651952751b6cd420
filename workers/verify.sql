-- The rules that always hold, a query each: how many things were checked, and how many break the rule.
-- A heading names the rule by its number in docs/architecture.md.

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
    WHEN 'outgoing' THEN EXISTS (SELECT FROM outgoing o WHERE o.id = t.subject_id AND o.state IN ('proposed', 'held'))
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

-- rule 10: each raw message is sealed (`veilig seal` seals what came in before)
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT is_sealed(raw) AND raw <> '') AS breaches
FROM message;

-- rule 10: no citizen service number and no reporter stands plain beside a report
SELECT count(*) AS checked, count(*) FILTER (WHERE holds_plain_person(person)) AS breaches
FROM mention;

-- rule 10: who reported is sealed
SELECT count(*) AS checked, count(*) FILTER (WHERE holds_plain_reporter(content)) AS breaches
FROM report;

-- rule 10: each message has its data key, there or destroyed
SELECT count(*) AS checked, count(*) FILTER (WHERE k.id IS NULL AND is_sealed(m.raw)) AS breaches
FROM message m LEFT JOIN data_key k ON k.id = m.id;

-- rule 11: restricted_report is exactly what follows from the links
SELECT (SELECT count(*) FROM restricted_report) AS checked, count(*) AS breaches
FROM ((SELECT report_id, restriction_id, region_id FROM restricted_report EXCEPT SELECT * FROM restricted_now)
    UNION ALL (SELECT * FROM restricted_now EXCEPT SELECT report_id, restriction_id, region_id FROM restricted_report))
    AS wrong;

-- rule 11: each restriction in force has a contact who works here and is not excluded from the person
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT s.active OR s.region_id <> x.region_id
    OR is_excluded_from(s.id, x.person_id)) AS breaches
FROM restriction x
JOIN staff s ON s.id = x.contact_staff_id
WHERE x.lifted_at IS NULL;

-- rule 11: open work on a restricted report is with somebody who may see it, when there is somebody
SELECT count(*) AS checked, count(*) FILTER (WHERE (t.staff_id IS NULL OR NOT sees_report(t.staff_id, t.report_id))
    AND restricted_receiver(restrictions_of(t.report_id, NULL), t.report_id) IS NOT NULL
    AND NOT EXISTS (SELECT FROM access_grant g WHERE g.staff_id = t.staff_id AND g.until BETWEEN now() - interval
        '5 minutes' AND now())) AS breaches
FROM task t
WHERE t.done_at IS NULL AND t.report_id IN (SELECT report_id FROM restricted_report);

-- rule 11: nobody has open work on somebody whom he knows
SELECT count(*) AS checked, count(*) FILTER (WHERE is_excluded(t.staff_id, t.report_id)) AS breaches
FROM task t
WHERE t.done_at IS NULL AND t.report_id IS NOT NULL AND t.staff_id IN (SELECT staff_id FROM exclusion);

-- rule 10: each grant that holds is of an active member of its region, with a purpose and a reason
SELECT count(*) AS checked, count(*) FILTER (WHERE s.id IS NULL OR NOT s.active OR s.region_id <> g.region_id
    OR btrim(g.reason) = '' OR btrim(g.purpose) = '') AS breaches
FROM access_grant g LEFT JOIN staff s ON s.id = g.staff_id
WHERE g.ended_at IS NULL AND g.until > now();

-- rule 10: each protection that ended was ended by two people, and said why
SELECT count(*) AS checked, count(*) FILTER (WHERE lifted_by = lift_asked_by OR lift_why IS NULL) AS breaches
FROM protection WHERE lifted_at IS NOT NULL;

-- rule 15: what was held about a report has exactly one open task
SELECT count(*) AS checked, count(*) FILTER (WHERE t.n <> 1) AS breaches
FROM outgoing o
CROSS JOIN LATERAL (SELECT count(*) AS n FROM task WHERE kind = 'outgoing' AND subject_id = o.id AND done_at IS NULL)
    AS t
WHERE o.state = 'held' AND o.report_id IS NOT NULL;

-- rule 15: nothing left that was not released and checked; what is dangerous by two persons
SELECT count(*) AS checked, count(*) FILTER (WHERE o.released_by IS NULL OR o.checked_at IS NULL
    OR o.content_sha256 IS NULL OR o.two_persons AND o.state = 'sent' AND (o.second_by IS NULL
    OR o.second_by = o.released_by)) AS breaches
FROM outgoing o
WHERE o.sent_at IS NOT NULL AND o.state <> 'held';

-- rule 15: each message of our own that waits, and each letter that is not sent, stands at the gate
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM outgoing o WHERE o.subject_id = one.subject))
    AS breaches
FROM (SELECT subject_id AS subject FROM outgoing_message WHERE sent_at IS NULL
    UNION ALL SELECT id FROM letter WHERE sent_at IS NULL) AS one;

-- rule 15: a notice that left is at the gate, and none is begun for longer than a quarter of an hour
SELECT count(*) AS checked, count(*) FILTER (WHERE o.id IS NULL OR n.state = 'begun'
    AND n.begun_at < now() - interval '15 minutes') AS breaches
FROM notice n
LEFT JOIN outgoing o ON o.kind = 'notice' AND o.subject_id = n.id
WHERE n.state <> 'waiting';

-- rule 7: what an advice, its contact and a chat say is sealed with a key of their own
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT is_sealed(one.sealed) OR k.id IS NULL) AS breaches
FROM (SELECT id, sealed FROM advice UNION ALL SELECT id, sealed FROM advice_contact
    UNION ALL SELECT id, sealed FROM advice_chat WHERE sealed IS NOT NULL) AS one
LEFT JOIN data_key k ON k.id = one.id;

-- rule 7: no table of reports, persons or cases refers to an advice, and none of advice to those
SELECT count(*) AS checked, count(*) FILTER (WHERE (of_advice(c.conrelid) AND NOT of_advice(c.confrelid)
    AND c.confrelid NOT IN ('region'::regclass, 'sender'::regclass, 'intake_draft'::regclass))
    OR (of_advice(c.confrelid) AND NOT of_advice(c.conrelid))) AS breaches
FROM pg_constraint c WHERE c.contype = 'f';

-- rule 7: an advice is no report, person, case or mention, and has no work, term or line of the trail together with one
SELECT (SELECT count(*) FROM advice) AS checked, count(DISTINCT a.id) AS breaches
FROM advice a WHERE EXISTS (SELECT FROM report r WHERE a.id IN (r.id, r.message_id, r.case_id, r.household_id))
    OR EXISTS (SELECT FROM mention m WHERE m.id = a.id) OR EXISTS (SELECT FROM person p WHERE p.id = a.id)
    OR EXISTS (SELECT FROM job j WHERE j.subject_id = a.id) OR EXISTS (SELECT FROM task t WHERE t.subject_id = a.id)
    OR EXISTS (SELECT FROM deadline d WHERE d.subject_id = a.id)
    OR EXISTS (SELECT FROM audit_entry e WHERE e.object_id = a.id
        AND (e.report_id IS NOT NULL OR e.case_id IS NOT NULL OR e.persons <> '{}'));

-- rule 7: a call that is over is tied to no advice
SELECT count(*) AS checked, count(*) FILTER (WHERE d.done_at IS NOT NULL) AS breaches
FROM advice_conversion c JOIN intake_draft d ON d.id = c.draft_id;

-- rule 7: a sender of chats sent no report
SELECT (SELECT count(*) FROM advice_chat) AS checked, count(*) AS breaches
FROM message m JOIN sender s ON s.id = m.sender_id WHERE s.kind = 'chat';

-- rule 5: no task, case or watch of ours lies with a team that ended more than two days ago
SELECT count(*) AS checked, count(*) FILTER (WHERE EXISTS (SELECT FROM task k WHERE k.team_id = t.id AND k.done_at IS NULL)
    OR EXISTS (SELECT FROM cases c WHERE c.team_id = t.id AND c.closed_at IS NULL)
    OR EXISTS (SELECT FROM safety_watch w WHERE w.team_id = t.id AND w.until IS NULL)) AS breaches
FROM team t WHERE t.kind = 'veilig_thuis' AND t.valid_to < current_date - 2;

-- rule 9: each line of a register is as its last change says, and no change is missing between
SELECT count(*) AS checked, count(*) FILTER (WHERE c.versions IS DISTINCT FROM c.last OR c.name IS DISTINCT FROM one.name)
    AS breaches
FROM (SELECT 'team' AS kind, id, name FROM team UNION ALL SELECT 'region', id, name FROM region
    UNION ALL SELECT 'municipality', id, name FROM municipality UNION ALL SELECT 'service_area', id, municipality
    FROM service_area UNION ALL SELECT 'sender', id, name FROM sender WHERE NOT own) AS one
LEFT JOIN LATERAL (SELECT count(*) AS versions, max(version) AS last,
    (array_agg(coalesce(after ->> 'municipality', after ->> 'name') ORDER BY version DESC))[1] AS name
    FROM register_change WHERE kind = one.kind AND object_id = one.id) AS c ON true;

-- rule 7: of a call that is over nothing that was typed is left, and the key that sealed it is gone
SELECT count(*) AS checked, count(*) FILTER (WHERE d.content IS NOT NULL OR k.id IS NOT NULL) AS breaches
FROM intake_draft d LEFT JOIN data_key k ON k.id = d.id WHERE d.done_at IS NOT NULL;

-- rule 15: each callback that told of feedback was about one that somebody released
SELECT count(*) AS checked, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM outgoing o WHERE o.kind = 'feedback'
    AND o.subject_id = e.subject_id AND o.released_by IS NOT NULL)) AS breaches
FROM webhook_event e WHERE e.kind = 'feedback' AND e.sent_at IS NOT NULL;

-- rule 1: each form that was sent is a report, and of what was typed nothing is left beside it
SELECT count(*) AS checked, count(*) FILTER (WHERE r.id IS NULL OR f.answers <> ''
    OR EXISTS (SELECT FROM saved_file s WHERE s.form_id = f.id)) AS breaches
FROM saved_form f LEFT JOIN report r ON r.id = f.report_id WHERE f.sent_at IS NOT NULL;

-- rule 1: a report that came by a form has the files of that form within an hour
SELECT count(*) AS checked, count(*) FILTER (WHERE f.sent_at IS NULL AND m.received_at < now() - interval '1 hour') AS breaches
FROM saved_form f JOIN message m ON m.sender_id = f.region_id AND m.reference = f.id::text AND m.outcome = 'report';

-- rule 10: each file of a report is sealed with a key that is there, and goes with its report
SELECT count(*) AS checked, count(*) FILTER (WHERE CASE WHEN a.destroyed_at IS NULL
    THEN k.wrapped IS NULL OR r.destroyed_at IS NOT NULL OR r.region_id <> a.region_id
    ELSE k.wrapped IS NOT NULL OR a.content <> '' OR a.name <> '' END) AS breaches
FROM attachment a JOIN report r ON r.id = a.report_id LEFT JOIN data_key k ON k.id = a.id;
