-- Six-hour totals by airport and airline, with all subtotals.

CREATE TABLE IF NOT EXISTS departures (
    scheduled_at TIMESTAMP, observed_at TIMESTAMP, carrier STRING, flight INT, tailnum STRING,
    origin STRING, dest STRING, dep_delay DOUBLE, arr_delay DOUBLE, air_time DOUBLE, distance DOUBLE
) USING json OPTIONS ('path' = 'testdata/flights/events', 'maxFilesPerTrigger' = '1');

CREATE STREAMING QUERY IF NOT EXISTS cube
OUTPUT MODE append
TRIGGER AVAILABLE NOW
LATE ROWS INTO late_cube
INTO TABLE delays_cube
AS SELECT window.start AS began, origin, carrier, grouping_id() AS totals,
          count(*) AS departures, sum(dep_delay) AS delay, min(dep_delay) AS best
   FROM STREAM departures WATERMARK scheduled_at DELAY OF INTERVAL 2 HOURS
   GROUP BY window(scheduled_at, '6 hours'), CUBE(origin, carrier);
