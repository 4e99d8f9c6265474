CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    uid TEXT COLLATE "C" NOT NULL UNIQUE,
    stream TEXT COLLATE "C" NOT NULL,
    visit TEXT COLLATE "C",
    counter TEXT COLLATE "C",
    wall TEXT COLLATE "C",
    at DOUBLE PRECISION NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    stage TEXT COLLATE "C",
    step TEXT COLLATE "C",
    phrase TEXT COLLATE "C",
    verdict TEXT COLLATE "C",
    score DOUBLE PRECISION,
    heard TEXT COLLATE "C",
    detail TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    phrases TEXT COLLATE "C" NOT NULL,
    phrases_hash TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    recorded TEXT COLLATE "C" NOT NULL,
    chain TEXT COLLATE "C" NOT NULL
)
---
CREATE TABLE recordings (
    seq BIGINT PRIMARY KEY,
    sha256 TEXT COLLATE "C" NOT NULL UNIQUE,
    path TEXT COLLATE "C" NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    started TEXT COLLATE "C",
    counter TEXT COLLATE "C",
    recorded TEXT COLLATE "C" NOT NULL,
    chain TEXT COLLATE "C" NOT NULL
)
---
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    record TEXT NOT NULL,
    seq BIGINT,
    chain TEXT,
    signed TEXT,
    key TEXT,
    signature TEXT
)
---
CREATE TABLE visits (
    seq BIGINT PRIMARY KEY,
    visit TEXT COLLATE "C" NOT NULL,
    counter TEXT COLLATE "C",
    moment TEXT COLLATE "C" NOT NULL,
    began TEXT COLLATE "C",
    source TEXT COLLATE "C" NOT NULL,
    phrases TEXT COLLATE "C" NOT NULL,
    score DOUBLE PRECISION,
    passed INTEGER,
    grade TEXT COLLATE "C",
    outcome TEXT COLLATE "C",
    opened DOUBLE PRECISION,
    seconds DOUBLE PRECISION,
    lost INTEGER,
    heard INTEGER,
    not_heard INTEGER,
    unknown INTEGER,
    forbidden INTEGER,
    broken INTEGER,
    doubtful INTEGER,
    faults TEXT COLLATE "C",
    reviewed BIGINT,
    score_after DOUBLE PRECISION,
    passed_after INTEGER
)
---
CREATE INDEX events_stream ON events (stream, seq)
---
CREATE INDEX events_visit ON events (visit, seq)
---
CREATE INDEX events_wall ON events (wall)
---
CREATE INDEX events_closed ON events (seq) WHERE kind = 'visit_closed'
---
CREATE INDEX events_people ON events (kind, seq) WHERE kind IN ('review', 'appeal', 'sample', 'access')
---
CREATE INDEX recordings_counter ON recordings (counter)
---
CREATE INDEX visits_moment ON visits (moment, seq)
---
CREATE INDEX visits_visit ON visits (visit)
---
CREATE INDEX visits_counter ON visits (counter, moment)
---
CREATE FUNCTION detail_text(detail TEXT, path TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT detail::json #>> string_to_array(substr(path, 3), '.')$$
---
CREATE FUNCTION detail_number(detail TEXT, path TEXT) RETURNS DOUBLE PRECISION LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT CASE WHEN detail::json #>> string_to_array(substr(path, 3), '.') ~ '^-?\d{1,200}(\.\d+)?([eE][-+]?\d{1,2})?$'
THEN (detail::json #>> string_to_array(substr(path, 3), '.'))::double precision END$$
---
CREATE FUNCTION detail_flag(detail TEXT, path TEXT) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT CASE detail::json #>> string_to_array(substr(path, 3), '.') WHEN 'true' THEN 1 WHEN 'false' THEN 0 END$$
---
CREATE FUNCTION moment_of(wall TEXT, seconds DOUBLE PRECISION) RETURNS TEXT LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT CASE WHEN wall ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$' AND abs(seconds) < 1e10
THEN to_char((wall::timestamptz + make_interval(secs => seconds)) AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"000+00:00"') END$$
---
CREATE FUNCTION epoch_of(wall TEXT) RETURNS BIGINT LANGUAGE sql STABLE PARALLEL SAFE AS
$$SELECT CASE WHEN wall ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$'
THEN floor(extract(epoch FROM wall::timestamptz))::bigint END$$
---
CREATE FUNCTION is_json(detail TEXT) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    PERFORM detail_text(detail, '$.counts');
    RETURN true;
EXCEPTION WHEN data_exception THEN
    RETURN false;
END
$$
---
CREATE FUNCTION visit_of(closed events) RETURNS SETOF visits LANGUAGE sql STABLE AS $$
SELECT closed.seq, closed.visit, closed.counter,
    coalesce(moment_of(closed.wall, coalesce(detail_number(closed.detail, '$.opened'), closed.at) - closed.at),
        closed.recorded),
    moment_of(closed.wall, coalesce(detail_number(closed.detail, '$.opened'), closed.at) - closed.at),
    closed.source, closed.phrases, closed.score, detail_flag(closed.detail, '$.passed'),
    detail_text(closed.detail, '$.grade'), detail_text(closed.detail, '$.outcome'),
    detail_number(closed.detail, '$.opened'), detail_number(closed.detail, '$.seconds'),
    detail_flag(closed.detail, '$.lost_audio'), detail_number(closed.detail, '$.counts.heard')::integer,
    detail_number(closed.detail, '$.counts.not_heard')::integer,
    detail_number(closed.detail, '$.counts.unknown')::integer,
    detail_number(closed.detail, '$.counts.forbidden')::integer,
    detail_number(closed.detail, '$.counts.broken')::integer,
    detail_number(closed.detail, '$.counts.doubtful')::integer,
    (SELECT string_agg(fault.verdict || ':' || fault.phrase, E'\n' ORDER BY fault.seq) FROM events AS fault
        WHERE fault.visit = closed.visit AND fault.seq <= closed.seq
        AND fault.verdict IN ('not_heard', 'unknown', 'forbidden', 'broken')
        AND (fault.kind <> 'phrase' OR detail_flag(fault.detail, '$.required') = 1)),
    NULL::bigint, NULL::double precision, NULL::integer
WHERE closed.visit IS NOT NULL AND is_json(closed.detail)
$$
---
CREATE FUNCTION decides(word events) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS
$$SELECT word.kind = 'review' AND detail_text(word.detail, '$.action') <> 'note'
    AND detail_text(word.detail, '$.blind') IS NULL$$
---
CREATE FUNCTION visits_closed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO visits SELECT * FROM visit_of(NEW);
    RETURN NULL;
END
$$
---
CREATE FUNCTION visits_reviewed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE visits SET reviewed = NEW.seq, score_after = coalesce(NEW.score, score_after, score),
        passed_after = coalesce(detail_flag(NEW.detail, '$.passed'), passed_after, passed)
    WHERE visit = NEW.visit AND decides(NEW);
    RETURN NULL;
END
$$
---
CREATE FUNCTION visits_replaced() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM visits WHERE visit > detail_text(NEW.detail, '$.replaces') || '-'
        AND visit < detail_text(NEW.detail, '$.replaces') || '.';
    RETURN NULL;
END
$$
---
CREATE FUNCTION visits_purged() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM visits WHERE seq = OLD.seq;
    RETURN NULL;
END
$$
---
CREATE FUNCTION refuse_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is append-only, % are never changed', TG_TABLE_NAME USING ERRCODE = '23000';
END
$$
---
CREATE FUNCTION refuse_delete() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record is append-only, % leave it by a purge alone', TG_TABLE_NAME USING ERRCODE = '23000';
END
$$
---
CREATE TRIGGER events_no_update BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change()
---
CREATE TRIGGER events_no_delete BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_delete()
---
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events EXECUTE FUNCTION refuse_delete()
---
CREATE TRIGGER recordings_no_update BEFORE UPDATE ON recordings FOR EACH ROW EXECUTE FUNCTION refuse_change()
---
CREATE TRIGGER recordings_no_delete BEFORE DELETE ON recordings FOR EACH ROW EXECUTE FUNCTION refuse_delete()
---
CREATE TRIGGER recordings_no_truncate BEFORE TRUNCATE ON recordings EXECUTE FUNCTION refuse_delete()
---
CREATE TRIGGER visits_closed AFTER INSERT ON events FOR EACH ROW WHEN (NEW.kind = 'visit_closed')
EXECUTE FUNCTION visits_closed()
---
CREATE TRIGGER visits_reviewed AFTER INSERT ON events FOR EACH ROW WHEN (NEW.kind = 'review')
EXECUTE FUNCTION visits_reviewed()
---
CREATE TRIGGER visits_replaced AFTER INSERT ON events FOR EACH ROW WHEN (NEW.kind = 'judged')
EXECUTE FUNCTION visits_replaced()
---
CREATE TRIGGER visits_purged AFTER DELETE ON events FOR EACH ROW WHEN (OLD.kind = 'visit_closed')
EXECUTE FUNCTION visits_purged()
---
INSERT INTO head (id, record) VALUES (1, replace(gen_random_uuid()::text, '-', ''))
