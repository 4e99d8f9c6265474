CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
---
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    stream TEXT NOT NULL,
    visit TEXT,
    counter TEXT,
    wall TEXT,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    stage TEXT,
    step TEXT,
    phrase TEXT,
    verdict TEXT,
    score REAL,
    heard TEXT,
    detail TEXT NOT NULL,
    source TEXT NOT NULL,
    phrases TEXT NOT NULL,
    phrases_hash TEXT NOT NULL,
    model TEXT NOT NULL,
    recorded TEXT NOT NULL,
    chain TEXT NOT NULL
)
---
CREATE TABLE recordings (
    seq INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    seconds REAL NOT NULL,
    started TEXT,
    counter TEXT,
    recorded TEXT NOT NULL,
    chain TEXT NOT NULL
)
---
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    record TEXT NOT NULL,
    seq INTEGER,
    chain TEXT,
    signed TEXT,
    key TEXT,
    signature TEXT
)
---
CREATE INDEX events_phrase ON events (phrase)
---
CREATE INDEX events_stream ON events (stream)
---
CREATE INDEX events_told ON events (kind, phrases, stage, step, phrase, verdict, counter, wall, recorded, stream)
---
CREATE INDEX events_visit ON events (visit)
---
CREATE INDEX events_gaps ON events (wall) WHERE kind = 'gap'
---
CREATE INDEX events_wall ON events (wall)
---
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN
    SELECT RAISE(ABORT, 'the record is append-only, events leave it by a purge alone');
END
---
CREATE TRIGGER events_no_replace BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq OR uid = NEW.uid) BEGIN
    SELECT RAISE(FAIL, 'the record is append-only, events are never replaced');
END
---
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN
    SELECT RAISE(ABORT, 'the record is append-only, events are never changed');
END
---
CREATE TRIGGER recordings_no_delete BEFORE DELETE ON recordings BEGIN
    SELECT RAISE(ABORT, 'the record is append-only, recordings leave it by a purge alone');
END
---
CREATE TRIGGER recordings_no_replace BEFORE INSERT ON recordings
WHEN EXISTS (SELECT 1 FROM recordings WHERE seq = NEW.seq OR sha256 = NEW.sha256) BEGIN
    SELECT RAISE(FAIL, 'the record is append-only, recordings are never replaced');
END
---
CREATE TRIGGER recordings_no_update BEFORE UPDATE ON recordings BEGIN
    SELECT RAISE(ABORT, 'the record is append-only, recordings are never changed');
END
---
CREATE TABLE visits (
    seq INTEGER PRIMARY KEY,
    visit TEXT NOT NULL,
    counter TEXT,
    moment TEXT NOT NULL,
    began TEXT,
    source TEXT NOT NULL,
    phrases TEXT NOT NULL,
    score REAL,
    passed INTEGER,
    grade TEXT,
    outcome TEXT,
    opened REAL,
    seconds REAL,
    lost INTEGER,
    heard INTEGER,
    not_heard INTEGER,
    unknown INTEGER,
    forbidden INTEGER,
    broken INTEGER,
    doubtful INTEGER,
    faults TEXT,
    reviewed INTEGER,
    score_after REAL,
    passed_after INTEGER
, manner_level REAL, manner_quiet REAL, manner_rate REAL, manner_interruptions REAL, manner_silence REAL, manner_waits REAL, manner_over TEXT)
---
CREATE INDEX visits_moment ON visits (moment)
---
CREATE INDEX visits_visit ON visits (visit)
---
CREATE INDEX visits_counter ON visits (counter, moment)
---
CREATE TRIGGER visits_closed AFTER INSERT ON events WHEN NEW.kind = 'visit_closed' BEGIN
    INSERT INTO visits SELECT
        NEW.seq, NEW.visit, NEW.counter,
        coalesce(strftime('%Y-%m-%dT%H:%M:%f000+00:00',
            julianday(NEW.wall) - (NEW.at - coalesce(json_extract(NEW.detail, '$.opened'), NEW.at)) / 86400.0), NEW.recorded),
        strftime('%Y-%m-%dT%H:%M:%f000+00:00',
            julianday(NEW.wall) - (NEW.at - coalesce(json_extract(NEW.detail, '$.opened'), NEW.at)) / 86400.0),
        NEW.source, NEW.phrases, NEW.score,
        json_extract(NEW.detail, '$.passed'), json_extract(NEW.detail, '$.grade'), json_extract(NEW.detail, '$.outcome'),
        json_extract(NEW.detail, '$.opened'), json_extract(NEW.detail, '$.seconds'),
        json_extract(NEW.detail, '$.lost_audio'), json_extract(NEW.detail, '$.counts.heard'),
        json_extract(NEW.detail, '$.counts.not_heard'), json_extract(NEW.detail, '$.counts.unknown'),
        json_extract(NEW.detail, '$.counts.forbidden'), json_extract(NEW.detail, '$.counts.broken'),
        json_extract(NEW.detail, '$.counts.doubtful'),
        (SELECT group_concat(fault.verdict || ':' || fault.phrase, char(10)) FROM events AS fault
            WHERE fault.visit = NEW.visit AND fault.verdict IN ('not_heard', 'unknown', 'forbidden', 'broken')
            AND (fault.kind <> 'phrase' OR json_extract(fault.detail, '$.required'))),
        NULL, NULL, NULL,
        CASE WHEN json_type(NEW.detail, '$.manner.level') IN ('integer', 'real')
            THEN json_extract(NEW.detail, '$.manner.level') END,
        CASE WHEN json_type(NEW.detail, '$.manner.quiet') IN ('integer', 'real')
            THEN json_extract(NEW.detail, '$.manner.quiet') END,
        CASE WHEN json_type(NEW.detail, '$.manner.rate') IN ('integer', 'real')
            THEN json_extract(NEW.detail, '$.manner.rate') END,
        CASE WHEN json_type(NEW.detail, '$.manner.interruptions') IN ('integer', 'real')
            THEN json_extract(NEW.detail, '$.manner.interruptions') END,
        CASE WHEN json_type(NEW.detail, '$.manner.silence') IN ('integer', 'real')
            THEN json_extract(NEW.detail, '$.manner.silence') END,
        CASE WHEN json_type(NEW.detail, '$.manner.waits') IN ('integer', 'real')
            THEN json_extract(NEW.detail, '$.manner.waits') END,
        nullif(json_extract(NEW.detail, '$.manner.over'), '[]')
    WHERE NEW.visit IS NOT NULL AND json_valid(NEW.detail);
END
---
CREATE TRIGGER visits_reviewed AFTER INSERT ON events WHEN NEW.kind = 'review' BEGIN
    UPDATE visits SET
        score_after = CASE WHEN json_extract(NEW.detail, '$.unscored') IS NULL THEN NEW.score
            WHEN reviewed IS NULL THEN score ELSE score_after END,
        passed_after = CASE WHEN json_extract(NEW.detail, '$.unscored') IS NULL THEN json_extract(NEW.detail, '$.passed')
            WHEN reviewed IS NULL THEN passed ELSE passed_after END,
        reviewed = NEW.seq
    WHERE visit = NEW.visit AND json_extract(NEW.detail, '$.action') <> 'note'
        AND json_extract(NEW.detail, '$.blind') IS NULL;
END
---
CREATE TRIGGER visits_replaced AFTER INSERT ON events WHEN NEW.kind = 'judged' BEGIN
    DELETE FROM visits WHERE visit > json_extract(NEW.detail, '$.replaces') || '-'
        AND visit < json_extract(NEW.detail, '$.replaces') || '.';
END
---
CREATE TRIGGER visits_purged AFTER DELETE ON events WHEN OLD.kind = 'visit_closed' BEGIN
    DELETE FROM visits WHERE seq = OLD.seq;
END
---
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    branch TEXT,
    region TEXT,
    many INTEGER NOT NULL,
    token TEXT UNIQUE,
    enrolled TEXT,
    heard TEXT,
    state TEXT
)
---
CREATE TABLE enrolments (
    code TEXT PRIMARY KEY,
    counter TEXT NOT NULL,
    made TEXT NOT NULL,
    expires TEXT NOT NULL,
    used TEXT
)
---
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    counter TEXT,
    begun TEXT NOT NULL,
    seq INTEGER NOT NULL,
    chain TEXT NOT NULL,
    since INTEGER NOT NULL,
    signing TEXT,
    head TEXT,
    state TEXT NOT NULL,
    fault TEXT
)
---
CREATE INDEX sources_record ON sources (record)
---
CREATE INDEX sources_counter ON sources (counter)
---
CREATE TABLE received (
    source INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    chain TEXT NOT NULL,
    here INTEGER UNIQUE,
    gone TEXT,
    PRIMARY KEY (source, first)
)
---
CREATE TABLE renamed (
    here INTEGER PRIMARY KEY,
    original TEXT NOT NULL
)
---
CREATE TABLE clip_requests (
    visit TEXT PRIMARY KEY,
    counter TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT,
    answered TEXT
)
---
INSERT INTO alembic_version (version_num) VALUES ('0010')
---
INSERT INTO head (id, record) VALUES (1, lower(hex(randomblob(16))))
