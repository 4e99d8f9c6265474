ALTER TABLE visits ADD COLUMN manner_level REAL
---
ALTER TABLE visits ADD COLUMN manner_quiet REAL
---
ALTER TABLE visits ADD COLUMN manner_rate REAL
---
ALTER TABLE visits ADD COLUMN manner_interruptions REAL
---
ALTER TABLE visits ADD COLUMN manner_silence REAL
---
ALTER TABLE visits ADD COLUMN manner_waits REAL
---
ALTER TABLE visits ADD COLUMN manner_over TEXT
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
