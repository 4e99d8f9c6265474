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
INSERT INTO alembic_version (version_num) VALUES ('0004')
---
INSERT INTO head (id, record) VALUES (1, lower(hex(randomblob(16))))
