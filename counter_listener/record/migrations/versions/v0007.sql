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
WITH newest AS (
    SELECT visit, score, json_extract(detail, '$.passed') AS passed, max(seq) FROM events
    WHERE kind = 'review' AND visit IN (SELECT visit FROM visits WHERE reviewed IS NOT NULL)
        AND CASE WHEN json_valid(detail) THEN json_extract(detail, '$.action') <> 'note'
            AND json_extract(detail, '$.blind') IS NULL AND json_extract(detail, '$.unscored') IS NULL END
    GROUP BY visit
)
UPDATE visits SET
    score_after = (SELECT newest.score FROM newest WHERE newest.visit = visits.visit),
    passed_after = (SELECT newest.passed FROM newest WHERE newest.visit = visits.visit)
WHERE reviewed IS NOT NULL AND visit IN (SELECT visit FROM newest)
