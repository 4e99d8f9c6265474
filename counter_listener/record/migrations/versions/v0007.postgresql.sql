CREATE OR REPLACE FUNCTION visits_reviewed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE visits SET
        score_after = CASE WHEN detail_text(NEW.detail, '$.unscored') IS NULL THEN NEW.score
            WHEN reviewed IS NULL THEN score ELSE score_after END,
        passed_after = CASE WHEN detail_text(NEW.detail, '$.unscored') IS NULL THEN detail_flag(NEW.detail, '$.passed')
            WHEN reviewed IS NULL THEN passed ELSE passed_after END,
        reviewed = NEW.seq
    WHERE visit = NEW.visit AND decides(NEW);
    RETURN NULL;
END
$$
---
WITH newest AS (
    SELECT DISTINCT ON (visit) visit, score, detail_flag(detail, '$.passed') AS passed FROM events
    WHERE kind = 'review' AND visit IN (SELECT visit FROM visits WHERE reviewed IS NOT NULL)
        AND CASE WHEN is_json(detail) THEN decides(events) AND detail_text(detail, '$.unscored') IS NULL END
    ORDER BY visit, seq DESC
)
UPDATE visits SET score_after = newest.score, passed_after = newest.passed
FROM newest WHERE newest.visit = visits.visit AND visits.reviewed IS NOT NULL
