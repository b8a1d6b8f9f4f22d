-- Departures with the weather at their airport in the hour before. Both are
-- streams: a departure waits for its weather and the weather for its departures, and
-- both are forgotten when the watermark says that nothing can match any more.

CREATE TABLE IF NOT EXISTS departures (
    scheduled_at TIMESTAMP, observed_at TIMESTAMP, carrier STRING, flight INT, tailnum STRING,
    origin STRING, dest STRING, dep_delay DOUBLE, arr_delay DOUBLE, air_time DOUBLE, distance DOUBLE
) USING json OPTIONS ('path' = 'testdata/flights/events', 'maxFilesPerTrigger' = '1');

CREATE TABLE IF NOT EXISTS weather (
    observed_at TIMESTAMP, origin STRING, temp DOUBLE, dewp DOUBLE, humid DOUBLE, wind_dir DOUBLE,
    wind_speed DOUBLE, wind_gust DOUBLE, precip DOUBLE, pressure DOUBLE, visib DOUBLE
) USING csv OPTIONS ('path' = 'testdata/flights/weather-2013-01.csv', 'header' = 'true', 'nullValue' = 'NA');

CREATE STREAMING QUERY IF NOT EXISTS weather_join
OUTPUT MODE append
TRIGGER AVAILABLE NOW
LATE ROWS INTO late_weather
INTO TABLE departures_in_weather
AS SELECT d.scheduled_at, d.carrier, d.flight, d.origin, d.dep_delay, w.observed_at AS weather_at, w.wind_speed, w.visib
   FROM STREAM departures WATERMARK scheduled_at DELAY OF INTERVAL 2 HOURS AS d
   JOIN (SELECT observed_at, origin, wind_speed, visib FROM STREAM weather WATERMARK observed_at DELAY OF INTERVAL 1 HOUR) w
   ON d.origin = w.origin AND w.observed_at > d.scheduled_at - INTERVAL 1 HOUR AND w.observed_at <= d.scheduled_at;
