"""Client of flightd: streaming SQL over Arrow Flight.

    import flightd

    with flightd.connect("grpc://127.0.0.1:8815") as conn:
        conn.sql("SELECT origin, count(*) AS n FROM departures GROUP BY origin").pandas()
        for batch in conn.subscribe("hourly", snapshot=True):
            print(batch.epoch, batch.data.to_pylist())

Everything is Arrow underneath: statements go through ADBC's Flight SQL driver,
subscriptions through pyarrow.flight, in one session of the server.
"""

from ._append import Durable
from ._connection import Connection, connect
from ._errors import (
    AlreadyExists,
    AuthenticationError,
    Canceled,
    ConnectionLost,
    DataLoss,
    Error,
    InternalError,
    LimitExceeded,
    NotFound,
    NotSupported,
    OutOfRange,
    PermissionDenied,
    QueryFailed,
    StatementError,
)
from ._queries import Queries, Query, Status
from ._result import Result
from ._subscribe import Batch, Op, Subscription

__all__ = [
    "AlreadyExists",
    "AuthenticationError",
    "Batch",
    "Canceled",
    "Connection",
    "ConnectionLost",
    "DataLoss",
    "Durable",
    "Error",
    "InternalError",
    "LimitExceeded",
    "NotFound",
    "NotSupported",
    "Op",
    "OutOfRange",
    "PermissionDenied",
    "Queries",
    "Query",
    "QueryFailed",
    "Result",
    "StatementError",
    "Status",
    "Subscription",
    "connect",
]
__version__ = "0.1.0"
