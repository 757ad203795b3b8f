CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS answers (
    scope TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL, at_s REAL NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL,
    currency TEXT NOT NULL, secret_hash TEXT NOT NULL, at_s REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS transfers (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL, at_s REAL NOT NULL,
    authorization TEXT NOT NULL DEFAULT ''
);

CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    transfer INTEGER NOT NULL REFERENCES transfers (id),
    account TEXT NOT NULL REFERENCES accounts (id),
    counterparty TEXT NOT NULL REFERENCES accounts (id),
    amount INTEGER NOT NULL CHECK (amount <> 0)
);
CREATE INDEX IF NOT EXISTS entries_by_account ON entries (account, id);

CREATE TABLE IF NOT EXISTS authorizations (
    id TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts (id),
    payee TEXT NOT NULL REFERENCES accounts (id), amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL, handler_id TEXT NOT NULL, reference TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE, state TEXT NOT NULL, expires_s REAL NOT NULL,
    capture_reference TEXT NOT NULL DEFAULT '', at_most INTEGER NOT NULL DEFAULT 0,
    captured INTEGER NOT NULL DEFAULT 0, refunded INTEGER NOT NULL DEFAULT 0,
    session TEXT NOT NULL DEFAULT '',
    CHECK (0 <= refunded AND refunded <= captured AND captured <= amount)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS authorizations_held ON authorizations (account, state);

CREATE TABLE IF NOT EXISTS shelves (
    merchant TEXT NOT NULL, item TEXT NOT NULL,
    remaining INTEGER NOT NULL, restock_s REAL NOT NULL,
    PRIMARY KEY (merchant, item)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS upsets (
    merchant TEXT NOT NULL, item TEXT NOT NULL, price INTEGER, until_s REAL NOT NULL,
    PRIMARY KEY (merchant, item)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS checkouts (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, platform TEXT NOT NULL,
    status TEXT NOT NULL, request TEXT NOT NULL, body TEXT NOT NULL, total INTEGER NOT NULL,
    created_s REAL NOT NULL, expires_s REAL NOT NULL, attempt TEXT, order_id TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS checkouts_in_progress ON checkouts (status)
    WHERE status = 'complete_in_progress';

CREATE TABLE IF NOT EXISTS carts (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, platform TEXT NOT NULL, lines TEXT NOT NULL,
    expires_s REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS handovers (
    checkout_id TEXT PRIMARY KEY REFERENCES checkouts (id), platform TEXT NOT NULL, confirmed_s REAL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL,
    platform TEXT NOT NULL, capabilities TEXT NOT NULL, webhook_url TEXT NOT NULL,
    checkout_id TEXT NOT NULL UNIQUE REFERENCES checkouts (id),
    authorization_id TEXT NOT NULL, tracking TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL, contents TEXT NOT NULL, plan TEXT NOT NULL, placed_s REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS order_events (
    order_id TEXT NOT NULL REFERENCES orders (id), seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, description TEXT NOT NULL, at_s REAL NOT NULL,
    PRIMARY KEY (order_id, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS adjustments (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL REFERENCES orders (id), kind TEXT NOT NULL,
    status TEXT NOT NULL, at_s REAL NOT NULL, amount INTEGER NOT NULL, lines TEXT NOT NULL,
    description TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS adjustments_of_order ON adjustments (order_id);

CREATE TABLE IF NOT EXISTS order_steps (
    order_id TEXT NOT NULL REFERENCES orders (id), seq INTEGER NOT NULL, kind TEXT NOT NULL,
    due_s REAL NOT NULL, PRIMARY KEY (order_id, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS steps_due ON order_steps (due_s);

CREATE TABLE IF NOT EXISTS picks (
    order_id TEXT NOT NULL REFERENCES orders (id), line_id TEXT NOT NULL,
    item TEXT, offered TEXT, until_s REAL, answer INTEGER,
    PRIMARY KEY (order_id, line_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS picks_asked ON picks (until_s) WHERE until_s IS NOT NULL AND answer IS NULL;

CREATE TABLE IF NOT EXISTS couriers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
    free_s REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS drivers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, car TEXT NOT NULL, plate TEXT NOT NULL,
    class TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL, free_s REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS ride_checkouts (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, platform TEXT NOT NULL, status TEXT NOT NULL,
    request TEXT NOT NULL, quote TEXT NOT NULL, expires_s REAL NOT NULL, order_id TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS rides (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL,
    platform TEXT NOT NULL, capabilities TEXT NOT NULL, webhook_url TEXT NOT NULL,
    checkout_id TEXT NOT NULL UNIQUE REFERENCES ride_checkouts (id),
    tracking TEXT NOT NULL UNIQUE, status TEXT NOT NULL, contents TEXT NOT NULL, plan TEXT,
    placed_s REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS ride_events (
    ride_id TEXT NOT NULL REFERENCES rides (id), seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, description TEXT NOT NULL, at_s REAL NOT NULL,
    PRIMARY KEY (ride_id, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS ride_steps (
    ride_id TEXT NOT NULL REFERENCES rides (id), kind TEXT NOT NULL, due_s REAL NOT NULL,
    PRIMARY KEY (ride_id, kind)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ride_steps_due ON ride_steps (due_s);

-- Drivers kept for rides for later, until one is sent; in real seconds.
CREATE TABLE IF NOT EXISTS ride_slots (
    ride_id TEXT PRIMARY KEY REFERENCES rides (id), class TEXT NOT NULL,
    pickup_s REAL NOT NULL, until_s REAL NOT NULL, reminded INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ride_slots_due ON ride_slots (pickup_s);

CREATE TABLE IF NOT EXISTS acp_platforms (
    name TEXT PRIMARY KEY, merchant TEXT NOT NULL, agent TEXT NOT NULL,
    webhook_url TEXT NOT NULL, secret TEXT NOT NULL
) WITHOUT ROWID;

-- Who can be paid by a name: people, shops and the customers of the bank.
CREATE TABLE IF NOT EXISTS handles (
    handle TEXT PRIMARY KEY, account TEXT NOT NULL UNIQUE REFERENCES accounts (id),
    name TEXT NOT NULL, phone TEXT UNIQUE, habit TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS pay_checkouts (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, platform TEXT NOT NULL, status TEXT NOT NULL,
    request TEXT NOT NULL, quote TEXT NOT NULL, expires_s REAL NOT NULL, order_id TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS pay_orders (
    id TEXT PRIMARY KEY, platform TEXT NOT NULL, capabilities TEXT NOT NULL,
    checkout_id TEXT NOT NULL UNIQUE REFERENCES pay_checkouts (id),
    authorization_id TEXT NOT NULL UNIQUE, terms TEXT NOT NULL, placed_s REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS pay_requests (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    payee TEXT NOT NULL REFERENCES accounts (id), payer TEXT NOT NULL REFERENCES accounts (id),
    amount INTEGER NOT NULL, note TEXT NOT NULL, state TEXT NOT NULL, made_s REAL NOT NULL,
    expires_s REAL NOT NULL, due_s REAL
);
CREATE INDEX IF NOT EXISTS pay_requests_due ON pay_requests (due_s) WHERE due_s IS NOT NULL;
CREATE INDEX IF NOT EXISTS pay_requests_in ON pay_requests (payer, number);
CREATE INDEX IF NOT EXISTS pay_requests_out ON pay_requests (payee, number);

CREATE TABLE IF NOT EXISTS paid_codes (
    id TEXT PRIMARY KEY, authorization_id TEXT NOT NULL, at_s REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL, seq REAL NOT NULL,
    merchant TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL, at_s REAL NOT NULL,
    state TEXT NOT NULL, copies INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0, next_s REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS webhooks_waiting ON webhooks (order_id, seq) WHERE state = 'waiting';

CREATE TABLE IF NOT EXISTS forced_faults (
    id INTEGER PRIMARY KEY, merchant TEXT, fault TEXT NOT NULL, operation TEXT,
    remaining INTEGER NOT NULL, seconds REAL
);

CREATE TABLE IF NOT EXISTS fault_rolls (
    merchant TEXT NOT NULL, fault TEXT NOT NULL, rolled INTEGER NOT NULL,
    PRIMARY KEY (merchant, fault)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS travel_seats (
    company TEXT NOT NULL, service TEXT NOT NULL, day TEXT NOT NULL, fare TEXT NOT NULL,
    holder TEXT NOT NULL, taken INTEGER NOT NULL DEFAULT 1, until_s REAL,
    PRIMARY KEY (company, service, day, fare, holder)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS travel_seats_of ON travel_seats (holder);

CREATE TABLE IF NOT EXISTS travel_holds (
    id TEXT PRIMARY KEY, company TEXT NOT NULL, platform TEXT NOT NULL, offer TEXT NOT NULL,
    price INTEGER NOT NULL, expires_s REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS travel_departures (
    company TEXT NOT NULL, service TEXT NOT NULL, day TEXT NOT NULL,
    delay_minutes INTEGER NOT NULL, canceled INTEGER NOT NULL, PRIMARY KEY (company, service, day)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS travel_checkouts (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, platform TEXT NOT NULL, status TEXT NOT NULL,
    request TEXT NOT NULL, quote TEXT NOT NULL, expires_s REAL NOT NULL, order_id TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS bookings (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL,
    platform TEXT NOT NULL, capabilities TEXT NOT NULL, webhook_url TEXT NOT NULL,
    checkout_id TEXT NOT NULL UNIQUE REFERENCES travel_checkouts (id),
    tracking TEXT NOT NULL UNIQUE, status TEXT NOT NULL, contents TEXT NOT NULL, plan TEXT,
    placed_s REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS booking_events (
    booking_id TEXT NOT NULL REFERENCES bookings (id), seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, description TEXT NOT NULL, at_s REAL NOT NULL,
    PRIMARY KEY (booking_id, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS booking_steps (
    booking_id TEXT NOT NULL REFERENCES bookings (id), kind TEXT NOT NULL, due_s REAL NOT NULL,
    PRIMARY KEY (booking_id, kind)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS booking_steps_due ON booking_steps (due_s);

CREATE TABLE IF NOT EXISTS table_sittings (
    holder TEXT PRIMARY KEY, house TEXT NOT NULL, size INTEGER NOT NULL,
    begins_s REAL NOT NULL, ends_s REAL NOT NULL, until_s REAL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS table_sittings_of ON table_sittings (house, size, begins_s);

CREATE TABLE IF NOT EXISTS table_checkouts (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, platform TEXT NOT NULL, status TEXT NOT NULL,
    request TEXT NOT NULL, quote TEXT NOT NULL, expires_s REAL NOT NULL, order_id TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS table_bookings (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL,
    platform TEXT NOT NULL, capabilities TEXT NOT NULL, webhook_url TEXT NOT NULL,
    checkout_id TEXT NOT NULL UNIQUE REFERENCES table_checkouts (id),
    tracking TEXT NOT NULL UNIQUE, status TEXT NOT NULL, contents TEXT NOT NULL, plan TEXT,
    placed_s REAL NOT NULL
);

CREATE TABLE IF NOT EXISTS table_events (
    booking_id TEXT NOT NULL REFERENCES table_bookings (id), seq INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, description TEXT NOT NULL, at_s REAL NOT NULL,
    PRIMARY KEY (booking_id, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS table_steps (
    booking_id TEXT NOT NULL REFERENCES table_bookings (id), kind TEXT NOT NULL,
    due_s REAL NOT NULL, PRIMARY KEY (booking_id, kind)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS table_steps_due ON table_steps (due_s);
