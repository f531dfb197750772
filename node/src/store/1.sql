CREATE TABLE owner (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    tag BLOB NOT NULL
) STRICT;

CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    address TEXT,
    epoch INTEGER,
    up INTEGER NOT NULL,
    down INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE epochs (
    epoch INTEGER PRIMARY KEY,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    claim_until INTEGER NOT NULL,
    measurers TEXT NOT NULL,
    phase TEXT NOT NULL,
    class INTEGER,
    weight INTEGER,
    reward INTEGER,
    submit_at INTEGER,
    relayer TEXT,
    max_fee INTEGER,
    proof BLOB,
    payout BLOB,
    proving_ms INTEGER,
    rebinds INTEGER NOT NULL,
    amount INTEGER,
    fee INTEGER,
    signature TEXT,
    compute_units INTEGER,
    reason TEXT
) STRICT;

CREATE TABLE listings (
    epoch INTEGER NOT NULL REFERENCES epochs ON DELETE CASCADE,
    measurer TEXT NOT NULL,
    slots_missed INTEGER,
    reason TEXT,
    PRIMARY KEY (epoch, measurer)
) STRICT;

CREATE TABLE answers (
    epoch INTEGER NOT NULL REFERENCES epochs ON DELETE CASCADE,
    measurer TEXT NOT NULL,
    slot INTEGER,
    attestation TEXT,
    fault TEXT,
    PRIMARY KEY (epoch, measurer)
) STRICT;
