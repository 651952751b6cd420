-- How often the public forms are used from one place, and which forms were left by the way out.
-- Neither table says who, where or what: only keyed hashes of numbers, and moments.

CREATE TABLE public_lane (
    lane bytea PRIMARY KEY CHECK (length(lane) = 32),
    level double precision NOT NULL CHECK (level >= 0),
    used_at timestamptz NOT NULL,
    turn_at timestamptz
);
CREATE INDEX public_lane_used ON public_lane (used_at);
COMMENT ON TABLE public_lane IS 'how full the public forms are, per origin or ticket of one day (web/access/public_limits.py)';
COMMENT ON COLUMN public_lane.lane IS 'keyed hash of day, use and network address: the address is kept nowhere';
COMMENT ON COLUMN public_lane.turn_at IS 'of a ticket: from when this form is taken, whatever its lane says';

CREATE TABLE public_left (
    form bytea PRIMARY KEY CHECK (length(form) = 32),
    at timestamptz NOT NULL
);
CREATE INDEX public_left_at ON public_left (at);
COMMENT ON TABLE public_left IS 'forms that somebody left by the way out: sent again by Back, such a form shows nothing';

SELECT secure_table('public_lane', 'closed');
SELECT secure_table('public_left', 'closed');
SELECT at_the_door('public_lane', 'SELECT, INSERT, UPDATE, DELETE');
SELECT at_the_door('public_left', 'SELECT, INSERT, DELETE');
REVOKE ALL ON public_lane, public_left FROM veilig_worker;
