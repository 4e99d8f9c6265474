ALTER TABLE visits ADD COLUMN manner_level DOUBLE PRECISION, ADD COLUMN manner_quiet DOUBLE PRECISION,
    ADD COLUMN manner_rate DOUBLE PRECISION, ADD COLUMN manner_interruptions DOUBLE PRECISION,
    ADD COLUMN manner_silence DOUBLE PRECISION, ADD COLUMN manner_waits DOUBLE PRECISION,
    ADD COLUMN manner_over TEXT COLLATE "C"
---
CREATE FUNCTION number_of(value TEXT) RETURNS DOUBLE PRECISION LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT CASE WHEN CASE WHEN length(value) > 200 THEN value ~ '^-?[0-9]{1,200}(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$'
    ELSE value ~ '^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$' END THEN value::double precision END$$
---
CREATE FUNCTION flag_of(value TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT CASE value WHEN 'true' THEN 1 WHEN 'false' THEN 0 END$$
---
CREATE FUNCTION object_of(value JSON) RETURNS JSON LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT CASE json_typeof(value) WHEN 'object' THEN value ELSE '{}' END$$
---
CREATE OR REPLACE FUNCTION detail_number(detail TEXT, path TEXT) RETURNS DOUBLE PRECISION LANGUAGE sql
IMMUTABLE PARALLEL SAFE AS
$$SELECT number_of(detail::json #>> string_to_array(substr(path, 3), '.'))$$
---
CREATE FUNCTION json_of(detail TEXT) RETURNS JSON LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    parsed JSON;
    told TEXT;
BEGIN
    parsed := detail::json;
    told := parsed #>> '{counts}'; -- fails for texts with a NUL, as everything does that reads them
    RETURN CASE json_typeof(parsed) WHEN 'object' THEN parsed ELSE '{}' END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$
---
CREATE OR REPLACE FUNCTION visit_of(closed events) RETURNS SETOF visits LANGUAGE sql STABLE AS $$
SELECT closed.seq, closed.visit, closed.counter, coalesce(opening.began, closed.recorded), opening.began,
    closed.source, closed.phrases, closed.score, flag_of(told.passed), told.grade, told.outcome,
    number_of(told.opened), number_of(told.seconds), flag_of(told.lost_audio),
    number_of(counts.heard)::integer, number_of(counts.not_heard)::integer, number_of(counts.unknown)::integer,
    number_of(counts.forbidden)::integer, number_of(counts.broken)::integer, number_of(counts.doubtful)::integer,
    (SELECT string_agg(fault.verdict || ':' || fault.phrase, E'\n' ORDER BY fault.seq) FROM events AS fault
        WHERE fault.visit = closed.visit AND fault.seq <= closed.seq
        AND fault.verdict IN ('not_heard', 'unknown', 'forbidden', 'broken')
        AND (fault.kind <> 'phrase' OR detail_flag(fault.detail, '$.required') = 1)),
    NULL::bigint, NULL::double precision, NULL::integer,
    number_of(manner.level), number_of(manner.quiet), number_of(manner.rate), number_of(manner.interruptions),
    number_of(manner.silence), number_of(manner.waits), nullif(manner.over, '[]')
FROM (SELECT json_of(closed.detail) AS detail OFFSET 0) AS parsed,
    json_to_record(parsed.detail) AS told (passed TEXT, grade TEXT, outcome TEXT, opened TEXT, seconds TEXT,
        lost_audio TEXT, counts JSON, manner JSON),
    json_to_record(object_of(told.counts)) AS counts (heard TEXT, not_heard TEXT, unknown TEXT, forbidden TEXT,
        broken TEXT, doubtful TEXT),
    json_to_record(object_of(told.manner)) AS manner (level TEXT, quiet TEXT, rate TEXT, interruptions TEXT,
        silence TEXT, waits TEXT, over TEXT),
    LATERAL (SELECT moment_of(closed.wall, coalesce(number_of(told.opened), closed.at) - closed.at) AS began
        OFFSET 0) AS opening
WHERE closed.visit IS NOT NULL AND parsed.detail IS NOT NULL
$$
---
DROP FUNCTION IF EXISTS is_json(TEXT)
---
CREATE TEMPORARY TABLE visits_before ON COMMIT DROP AS SELECT * FROM visits
---
TRUNCATE visits
---
INSERT INTO visits
SELECT visits_before.*, number_of(manner.level), number_of(manner.quiet), number_of(manner.rate),
    number_of(manner.interruptions), number_of(manner.silence), number_of(manner.waits), nullif(manner.over, '[]')
FROM visits_before LEFT JOIN events ON events.seq = visits_before.seq AND events.kind = 'visit_closed',
    LATERAL (SELECT object_of(json_of(events.detail) -> 'manner') AS manner OFFSET 0) AS told,
    json_to_record(told.manner) AS manner (level TEXT, quiet TEXT, rate TEXT, interruptions TEXT,
        silence TEXT, waits TEXT, over TEXT)
ORDER BY visits_before.seq
---
ANALYZE visits
