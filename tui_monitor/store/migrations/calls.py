"""The row table of calls, its dictionaries and its identities."""

import sqlite3

NAME = "calls"
AFTER: tuple[str, ...] = ()


def up(conn: sqlite3.Connection) -> None:
    """Create the tables."""
    for statement in _TABLES:
        conn.execute(statement)


_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "INSERT INTO meta VALUES ('version', 0), ('clean', 1), ('next_call', 1), ('calls', 0)",
    # Texts of label columns, stored once.
    "CREATE TABLE terms (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    # Label sets of roll-ups: JSON arrays. `fine` leads from a set of all dimensions to its coarser one.
    """CREATE TABLE series_keys (
        id INTEGER PRIMARY KEY AUTOINCREMENT, labels TEXT NOT NULL UNIQUE, fine INTEGER)""",
    # Times in µs, money in nano-USD; columns that end in _t are terms.
    """CREATE TABLE calls (
        id INTEGER PRIMARY KEY, booked INTEGER NOT NULL, series INTEGER NOT NULL, arrived INTEGER NOT NULL,
        flags INTEGER NOT NULL, ts_start INTEGER, ts_end INTEGER,
        in_uncached INTEGER, cache_read INTEGER, cache_write_5m INTEGER, cache_write_1h INTEGER,
        out_total INTEGER, reasoning INTEGER, cost INTEGER, list_cost INTEGER, cost_status_t INTEGER NOT NULL,
        latency INTEGER, ttft INTEGER, queue_wait INTEGER,
        cost_reported INTEGER, cost_computed INTEGER, http_status INTEGER, attempts INTEGER,
        source_t INTEGER NOT NULL, model_requested_t INTEGER, model_served_t INTEGER, api_base_t INTEGER,
        region_t INTEGER, environment_t INTEGER, session_t INTEGER, service_tier_t INTEGER,
        finish_reason_t INTEGER, error_code_t INTEGER, batch_id_t INTEGER,
        price_source_t INTEGER, price_version_t INTEGER,
        source_key TEXT NOT NULL, call_keys TEXT, trace_id TEXT, span_id TEXT, parent_span_id TEXT,
        media TEXT, attrs TEXT)""",
    "CREATE INDEX series_keys_fine ON series_keys (fine) WHERE fine IS NOT NULL",
    "CREATE INDEX calls_booked ON calls (booked)",
    "CREATE INDEX calls_batch ON calls (batch_id_t) WHERE batch_id_t IS NOT NULL",
    # What each source said of a call that several sources know.
    """CREATE TABLE parts (
        call INTEGER NOT NULL, seq INTEGER NOT NULL, remember INTEGER NOT NULL,
        batch_id_t INTEGER, record TEXT NOT NULL, PRIMARY KEY (call, seq)) WITHOUT ROWID""",
    "CREATE INDEX parts_batch ON parts (batch_id_t) WHERE batch_id_t IS NOT NULL",
    # 64-bit hash of an identity. `day` and `content` once the raw row is gone.
    "CREATE TABLE identities (hash INTEGER PRIMARY KEY, call INTEGER, day INTEGER, content INTEGER)",
    "CREATE TABLE attribute_names (name TEXT PRIMARY KEY) WITHOUT ROWID",
)
