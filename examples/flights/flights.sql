-- Departures from New York, counted while they happen: per hour of the
-- timetable, airport and airline. The files are in the order in which flights
-- really left, so a flight that left five hours late is a row that is five hours
-- late; two hours of lateness are waited for.

CREATE TABLE IF NOT EXISTS departures (
    scheduled_at TIMESTAMP, observed_at TIMESTAMP, carrier STRING, flight INT, tailnum STRING,
    origin STRING, dest STRING, dep_delay DOUBLE, arr_delay DOUBLE, air_time DOUBLE, distance DOUBLE
) USING json OPTIONS ('path' = 'testdata/flights/events', 'maxFilesPerTrigger' = '1');

CREATE TABLE IF NOT EXISTS airlines (carrier STRING, name STRING)
USING csv OPTIONS ('path' = 'testdata/flights/airlines.csv', 'header' = 'true');

-- The result is a table of Parquet files under the data folder, written exactly
-- once: stop this with kill -9, start it again, and the files are what they
-- would have been.
CREATE STREAMING QUERY IF NOT EXISTS hourly
OUTPUT MODE append
TRIGGER PROCESSING TIME '1 second'
INTO TABLE hourly_departures
AS SELECT window.start AS hour, d.origin, a.name AS airline,
          count(*) AS departures, round(avg(d.dep_delay), 1) AS mean_delay
   FROM STREAM departures WATERMARK scheduled_at DELAY OF INTERVAL 2 HOURS AS d
   JOIN airlines a ON d.carrier = a.carrier
   GROUP BY window(d.scheduled_at, '1 hour'), d.origin, a.name;
