-- A day's work of each aircraft: departures from New York that are less than nine
-- hours apart are one session.

CREATE TABLE IF NOT EXISTS departures (
    scheduled_at TIMESTAMP, observed_at TIMESTAMP, carrier STRING, flight INT, tailnum STRING,
    origin STRING, dest STRING, dep_delay DOUBLE, arr_delay DOUBLE, air_time DOUBLE, distance DOUBLE
) USING json OPTIONS ('path' = 'testdata/flights/events', 'maxFilesPerTrigger' = '1');

CREATE STREAMING QUERY IF NOT EXISTS sessions
OUTPUT MODE append
TRIGGER AVAILABLE NOW
LATE ROWS INTO late_sessions
INTO TABLE aircraft_sessions
AS SELECT tailnum, session_window.start AS began, session_window.end AS ended,
          count(*) AS departures, sum(distance) AS miles, max(dep_delay) AS worst_delay
   FROM STREAM departures WATERMARK scheduled_at DELAY OF INTERVAL 2 HOURS
   WHERE tailnum IS NOT NULL
   GROUP BY session_window(scheduled_at, '9 hours'), tailnum;
