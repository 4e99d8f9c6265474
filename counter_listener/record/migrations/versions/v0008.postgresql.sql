CREATE TABLE clip_requests (
    visit TEXT COLLATE "C" PRIMARY KEY,
    counter TEXT COLLATE "C" NOT NULL,
    asked_by TEXT COLLATE "C" NOT NULL,
    asked TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C",
    answered TEXT COLLATE "C"
)
