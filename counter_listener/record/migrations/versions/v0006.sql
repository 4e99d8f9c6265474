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
