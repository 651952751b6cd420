-- Rule sets: rehearsal, activation and blind quality samples.
SELECT 1;
