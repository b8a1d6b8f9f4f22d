"""DuckDB's batch answers to the streaming programs of this folder.

    python examples/flights/oracle.py testdata/flights testdata/flights/answers

writes a CSV file for each program. The departures are cut into files of 100 rows in
the order in which they were observed, as flights_examples_test.go cuts them; which
rows are late follows from the cuts, by the watermark two hours behind the newest
departure of all files but the last one before; and what is not closed by the final
watermark is left out. DuckDB 2.0.0 made the answers in testdata.

A session that has been closed is not opened again: a late departure that would have
touched it begins one of its own, which a batch cannot know. With a gap of nine hours
there is none in these data; with eight there is one (N558JB on 3 January).
"""

import sys

import duckdb

data, out = sys.argv[1], sys.argv[2]
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"""
CREATE TABLE observed AS
SELECT row_number() OVER () - 1 AS nr, * FROM read_json('{data}/events/*.jsonl', format = 'newline_delimited', columns = {{
    scheduled_at: 'TIMESTAMP', observed_at: 'TIMESTAMP', carrier: 'VARCHAR', flight: 'INTEGER', tailnum: 'VARCHAR',
    origin: 'VARCHAR', dest: 'VARCHAR', dep_delay: 'DOUBLE', arr_delay: 'DOUBLE', air_time: 'DOUBLE', distance: 'DOUBLE'}});
CREATE TABLE files AS SELECT nr // 100 AS file, max(scheduled_at) AS newest FROM observed GROUP BY 1;
CREATE TABLE marks AS
SELECT file, greatest(TIMESTAMP '1970-01-01', coalesce(max(newest) OVER (ORDER BY file ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)
    - INTERVAL 2 HOURS, TIMESTAMP '1970-01-01')) AS late
FROM files;
CREATE TABLE d AS SELECT o.*, m.late FROM observed o JOIN marks m ON o.nr // 100 = m.file;
CREATE TABLE last AS SELECT max(scheduled_at) - INTERVAL 2 HOURS AS mark FROM observed;
CREATE TABLE w AS SELECT * FROM read_csv('{data}/weather-2013-01.csv', header = true, nullstr = 'NA', timestampformat = '%Y-%m-%dT%H:%M:%SZ');
""")

windowed = "time_bucket(INTERVAL '{0}', scheduled_at, TIMESTAMP '1970-01-01')"


def punctual(size):
    """The departures whose window of this size was not closed."""
    start = windowed.format(size)
    return f"(SELECT *, {start} AS start, {start} + INTERVAL '{size}' AS ended FROM d WHERE {start} + INTERVAL '{size}' > late)"


programs = {
    "sessions": """
        WITH kept AS (SELECT * FROM d WHERE scheduled_at + INTERVAL 9 HOURS > late AND tailnum IS NOT NULL),
        begun AS (SELECT *, CASE WHEN scheduled_at <= lag(scheduled_at) OVER (PARTITION BY tailnum ORDER BY scheduled_at) + INTERVAL 9 HOURS THEN 0 ELSE 1 END AS new FROM kept),
        named AS (SELECT *, sum(new) OVER (PARTITION BY tailnum ORDER BY scheduled_at ROWS UNBOUNDED PRECEDING) AS session FROM begun)
        SELECT tailnum, min(scheduled_at) AS began, max(scheduled_at) + INTERVAL 9 HOURS AS ended, count(*), sum(distance), max(dep_delay)
        FROM named GROUP BY tailnum, session HAVING max(scheduled_at) + INTERVAL 9 HOURS <= (SELECT mark FROM last)""",
    "weather": """
        SELECT d.scheduled_at, d.carrier, d.flight, d.origin, d.dep_delay, w.observed_at, w.wind_speed, w.visib
        FROM (SELECT * FROM d WHERE scheduled_at > late) d JOIN w
        ON d.origin = w.origin AND w.observed_at > d.scheduled_at - INTERVAL 1 HOUR AND w.observed_at <= d.scheduled_at""",
    "weather_or_not": """
        SELECT d.scheduled_at, d.carrier, d.flight, d.origin, d.dep_delay, w.observed_at, w.wind_speed, w.visib
        FROM (SELECT * FROM d WHERE scheduled_at > late) d LEFT JOIN (SELECT * FROM w WHERE wind_speed > 12) w
        ON d.origin = w.origin AND w.observed_at > d.scheduled_at - INTERVAL 1 HOUR AND w.observed_at <= d.scheduled_at
        WHERE w.observed_at IS NOT NULL OR d.scheduled_at < (SELECT mark FROM last)""",
    "duplicates": """
        SELECT carrier, flight, origin, scheduled_at, arg_min_null(dep_delay, nr) FROM d WHERE scheduled_at > late
        GROUP BY carrier, flight, origin, scheduled_at""",
    "cube": f"""
        SELECT start, origin, carrier, grouping_id(origin, carrier), count(*), sum(dep_delay), min(dep_delay)
        FROM {punctual('6 hours')} WHERE ended <= (SELECT mark FROM last)
        GROUP BY GROUPING SETS ((start, origin, carrier), (start, origin), (start, carrier), (start))""",
    "days": f"""
        WITH hours AS (SELECT start, origin, count(*) AS n FROM {punctual('1 hour')} GROUP BY start, origin)
        SELECT time_bucket(INTERVAL '1 day', start) AS day, origin, count(*), sum(n), max(n) FROM hours
        WHERE time_bucket(INTERVAL '1 day', start) + INTERVAL 1 DAY <= (SELECT mark FROM last) GROUP BY 1, 2""",
}

for name, sql in programs.items():
    db.execute(f"COPY ({sql} ORDER BY ALL) TO '{out}/{name}.csv' (HEADER false, NULLSTR 'NULL')")
    print(name, db.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0])

# How many rows each program drops as late: sessions judge a row by its own gap.
late = {"weather": "scheduled_at", "weather_or_not": "scheduled_at", "duplicates": "scheduled_at", "sessions": "scheduled_at + INTERVAL 9 HOURS",
        "cube": windowed.format("6 hours") + " + INTERVAL 6 HOURS", "days": windowed.format("1 hour") + " + INTERVAL 1 HOUR"}
for name, ends in late.items():
    known = " AND tailnum IS NOT NULL" if name == "sessions" else ""
    print(name, "late", db.execute(f"SELECT count(*) FROM d WHERE {ends} <= late{known}").fetchone()[0])
