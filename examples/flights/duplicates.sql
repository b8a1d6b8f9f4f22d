-- A departure that is reported again is dropped: the key is remembered for as long
-- as the watermark waits.

CREATE TABLE IF NOT EXISTS departures (
    scheduled_at TIMESTAMP, observed_at TIMESTAMP, carrier STRING, flight INT, tailnum STRING,
    origin STRING, dest STRING, dep_delay DOUBLE, arr_delay DOUBLE, air_time DOUBLE, distance DOUBLE
) USING json OPTIONS ('path' = 'testdata/flights/events', 'maxFilesPerTrigger' = '1');

CREATE STREAMING QUERY IF NOT EXISTS duplicates
OUTPUT MODE append
TRIGGER AVAILABLE NOW
LATE ROWS INTO late_duplicates
INTO TABLE departures_once
AS SELECT carrier, flight, origin, scheduled_at, dep_delay
   FROM STREAM departures WATERMARK scheduled_at DELAY OF INTERVAL 2 HOURS
   DEDUPLICATE ON (carrier, flight, origin, scheduled_at);
