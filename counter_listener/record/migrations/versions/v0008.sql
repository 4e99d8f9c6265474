CREATE TABLE clip_requests (
    visit TEXT PRIMARY KEY,
    counter TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT,
    answered TEXT
)
