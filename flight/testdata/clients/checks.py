"""What a client is asked to do: capabilities, and how the outcomes of checks are told."""

import json
import os
import sys
import time

CAPABILITIES = {
    "connect": "connect, plain text",
    "tls": "TLS, with the authority's certificate",
    "password": "user and password",
    "token": "a service's token",
    "query": "query",
    "types": "every type of a result",
    "parameters": "parameters",
    "prepared": "a prepared statement, run again",
    "catalogs": "list catalogs",
    "schemas": "list schemas",
    "tables": "list tables",
    "columns": "list columns",
    "info": "what the server says of itself",
    "schema": "schema of a result without running it",
    "update": "number of changed rows",
    "create": "ingest: create",
    "append": "ingest: append",
    "replace": "ingest: replace",
    "create_append": "ingest: create_append",
    "nothing": "ingest of no rows",
    "stream_append": "append to a stream table, durable when answered",
    "numbered": "append with numbers, each row once after a break",
    "large": "a result of 60 MB",
    "cancel": "cancel",
    "live": "result of a running query",
    "subscribe": "SUBSCRIBE with an end",
    "endless": "SUBSCRIBE without an end, batch by batch",
    "resume": "SUBSCRIBE again behind the last row",
    "session": "settings and views of the session",
    "error_class": "errors with condition and SQLSTATE",
    "error_place": "errors with line and column",
}

# A column of each type, and what Python makes of it.
TYPES = (
    "SELECT true AS t01, 1Y AS t02, 2S AS t03, 3 AS t04, 4L AS t05, 1.5F AS t06, 2.5D AS t07, 1.25BD AS t08, 'ü' AS t09, X'6162' AS t10, DATE '2024-02-29' AS t11, "
    "TIMESTAMP '2024-02-29 01:02:03' AS t12, TIMESTAMP_NTZ '2024-02-29 01:02:03' AS t13, array(1, 2) AS t14, named_struct('a', 1) AS t15, map('k', 1) AS t16, "
    "INTERVAL '1' DAY AS t17, CAST(NULL AS STRING) AS t18"
)
LARGE = "SELECT id, repeat('x', 200) AS s FROM range(300000)"
LARGE_ROWS = 300_000
LONG = "SELECT count(*) FROM range(10000000) a CROSS JOIN range(10000000) b"
WRONG = "SELECT nam FROM (SELECT 1 AS name)"


class Env:
    """Where the servers are, and the names that belong to one client."""

    def __init__(self, given):
        self.given = given
        self.plain, self.users, self.tls = given["plain"], given["users"], given["tls"]  # host:port
        self.user, self.password, self.token, self.ca = given["user"], given["password"], given["token"], given["ca"]
        self.prefix, self.folder = given["prefix"], given["folder"]
        self.live, self.counts = self.prefix + "_live", self.prefix + "_counts"

    def ca_text(self):
        with open(self.ca) as f:
            return f.read()

    def add(self, count):
        """Puts rows into the folder that the queries live and counts read."""
        name = "%020d" % time.time_ns()
        part = os.path.join(self.folder, "." + name)
        with open(part, "w") as f:
            f.writelines('{"n":%d}\n' % n for n in range(count))
        os.rename(part, os.path.join(self.folder, name + ".json"))

    def name(self, what):
        return f"{self.prefix}_{what}"


class Unmet(Exception):
    """What a client said or did not say."""


def want(got, wanted):
    if got != wanted:
        raise Unmet(f"got {got!r}, want {wanted!r}")


def fails(call, *words):
    """The text of the error of call, which must have these words in it."""
    try:
        call()
    except Exception as e:
        said = str(e) + " " + " ".join(f"{k.decode()}={v.decode()}" for k, v in getattr(e, "details", None) or [])
        for w in words:
            if w not in said:
                raise Unmet(f"{w} is not in: {said}") from None
        return said
    raise Unmet("no error")


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while not (got := what()):
        if time.monotonic() > end:
            raise Unmet("it does not come")
        time.sleep(0.05)
    return got


def epochs(rows, once):
    """Follows a subscription with PROGRESS to the end of an epoch: returns the last
    complete epoch and the values of its rows. rows gives (_epoch, _op, n)."""
    got, kept = [], []
    for epoch, op, n in rows:
        if op == 0:
            got, kept = got + kept, []
            if once(got):
                return epoch, got
        else:
            kept.append(n)
    raise Unmet("the subscription ended")


class Client:
    """A client's checks: a method for each capability, without one it is not_applicable."""

    name = ""
    not_applicable = {}

    def __init__(self, env):
        self.env = env

    def close(self):
        pass

    def outcomes(self):
        for capability in CAPABILITIES:
            if capability in self.not_applicable:
                yield outcome(self.name, capability, "n/a", self.not_applicable[capability])
                continue
            began = time.monotonic()
            try:
                getattr(self, capability)()
            except Exception as e:
                yield outcome(self.name, capability, "no", f"{type(e).__name__}: {e}".strip().split("\n")[0])
            else:
                yield outcome(self.name, capability, "yes")
            if (took := time.monotonic() - began) > 5:
                print(f"{self.name}: {capability} took {took:.1f} s", file=sys.stderr)


def outcome(client, capability, got, reason=""):
    return {"client": client, "capability": capability, "outcome": got, "reason": reason}


def lines(text):
    """The outcomes among the lines of a program's output."""
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"c')]
