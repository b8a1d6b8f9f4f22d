-- Windows over windows: departures by hour, and of those the busiest hour of each
-- day. Both close in the same epoch.

CREATE TABLE IF NOT EXISTS departures (
    scheduled_at TIMESTAMP, observed_at TIMESTAMP, carrier STRING, flight INT, tailnum STRING,
    origin STRING, dest STRING, dep_delay DOUBLE, arr_delay DOUBLE, air_time DOUBLE, distance DOUBLE
) USING json OPTIONS ('path' = 'testdata/flights/events', 'maxFilesPerTrigger' = '1');

CREATE STREAMING QUERY IF NOT EXISTS days
OUTPUT MODE append
TRIGGER AVAILABLE NOW
LATE ROWS INTO late_days
INTO TABLE busiest_hours
AS SELECT window(hour, '1 day').start AS day, origin, count(*) AS hours, sum(n) AS departures, max(n) AS busiest
   FROM (SELECT window AS hour, origin, count(*) AS n
         FROM STREAM departures WATERMARK scheduled_at DELAY OF INTERVAL 2 HOURS
         GROUP BY window(scheduled_at, '1 hour'), origin)
   GROUP BY window(hour, '1 day'), origin;
