"""The client of w14_adbc: asks SELECT 1 by ADBC. Arguments: uri, how often. Prints
the seconds of each, the first tenth left out."""

import json
import sys
import time
import warnings

import adbc_driver_flightsql.dbapi as flightsql

warnings.simplefilter("ignore")  # autocommit cannot be switched off
times = int(sys.argv[2])
took = []
with flightsql.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    for _ in range(times + times // 10):
        begun = time.perf_counter()
        cursor.execute("SELECT 1")
        if cursor.fetchall() != [(1,)]:
            raise ValueError("another answer")
        took.append(time.perf_counter() - begun)
print(json.dumps(took[times // 10 :]))
