"""Runs every client against the server and prints what each of them can do.

    matrix.py            prints the matrix; fails where it is not that of docs/clients.md
    matrix.py --write    puts it there

FLIGHTD_BIN is the server, FLIGHTD_JDBC the jar of Arrow's JDBC driver, FLIGHTD_NODE the
modules of Node, GO the go command. What is not there is not run, and said so.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../python"), os.path.join(HERE, "../../../python/src")]

import adbc_clients  # noqa: E402
import flight_client  # noqa: E402
import frame_clients  # noqa: E402
import own_client  # noqa: E402
from checks import CAPABILITIES, Env, lines, outcome  # noqa: E402
from server import ROOT, Server  # noqa: E402
from test_security import authority, certificate, user  # noqa: E402

DOCUMENT = os.path.join(ROOT, "docs/clients.md")
BEGIN, END = "<!-- matrix: make clients-matrix -->\n", "<!-- end of matrix -->\n"
GO = os.environ.get("GO", "go")
JDBC = os.environ.get("FLIGHTD_JDBC", "")
MODULES = os.environ.get("FLIGHTD_NODE", "")

PYTHON = [adbc_clients.DBAPI, adbc_clients.LowLevel, flight_client.Pyarrow, frame_clients.Pandas, frame_clients.Polars, own_client.Own]
OURS_GO, DATABASE_SQL, ARROW_JDBC, NODE = "flightd for Go", "Go database/sql", "JDBC", "Node"
CLIENTS = [c.name for c in PYTHON] + [OURS_GO, DATABASE_SQL, ARROW_JDBC, NODE]
MARKS = {"yes": "yes", "no": "no", "n/a": "–", "not run": "not run"}

UNTRIED = "the program has not tried it"

# Why a client cannot do something, where its own words do not say it.
EMPTY = "the driver sends nothing for rows without a record batch, not even their schema; one record batch of no rows does it"
NOTES = {
    (adbc_clients.DBAPI.name, "nothing"): EMPTY,
    (adbc_clients.LowLevel.name, "nothing"): EMPTY,
    (frame_clients.Pandas.name, "nothing"): EMPTY,
    (frame_clients.Pandas.name, "parameters"): "pandas refuses `params` for ADBC; the cursor of the connection takes them",
    (frame_clients.Pandas.name, "endless"): "pandas refuses `chunksize` for ADBC, and reads to the end",
    (DATABASE_SQL, "types"): "the driver has no lists, structs, maps and no uint64",
    (DATABASE_SQL, "resume"): "the driver has no uint64, the type of `_epoch`",
    (NODE, "error_class"): "the client hides what the server says behind “failed to prepare statement”",
    (NODE, "error_place"): "the client hides what the server says behind “failed to prepare statement”",
    (ARROW_JDBC, "types"): "`getObject` of a TIMESTAMP, which has a zone, is not implemented in the driver; `getTimestamp` is, and `x-flightd-timestamp-zone=none` in the URL does without the zone",
}


class Servers:
    """A server in plain text for everybody, one with users, one with TLS."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="flightd-clients-")
        self.ca = authority(self.folder, "ca")
        cert, key = certificate(self.folder, "server", self.ca)
        users = os.path.join(self.folder, "users")
        user(users, "add", "ann", "--role", "admin", password="ann secret\n")
        self.token = user(users, "token", "service", "--role", "reader")
        self.plain, self.users, self.tls = Server(), Server("--users", users), Server("--tls-cert", cert, "--tls-key", key)

    def env(self, prefix):
        """The servers for one client, with a stream of its own: three rows, and the
        queries live, INTO feed, and counts, INTO memory."""
        folder = os.path.join(self.plain.data, prefix)
        os.makedirs(folder)
        address = [s.uri.split("//")[1] for s in (self.plain, self.users, self.tls)]
        env = Env({"plain": address[0], "users": address[1], "tls": address[2], "user": "ann", "password": "ann secret", "token": self.token, "ca": self.ca,
                   "prefix": prefix, "folder": folder})  # fmt: skip
        env.add(3)
        with adbc_clients.DBAPI.open(env.plain) as conn, conn.cursor() as cur:
            for text in (
                f"CREATE TABLE {prefix}_numbers (n BIGINT) USING json OPTIONS ('path' = '{folder}')",
                f"CREATE STREAMING QUERY {prefix}_live INTO feed AS SELECT n FROM STREAM {prefix}_numbers",
                f"CREATE STREAMING QUERY {prefix}_counts OUTPUT MODE complete INTO memory AS SELECT count(*) AS n FROM STREAM {prefix}_numbers",
            ):
                cur.execute(text)
        return env

    def close(self):
        for s in (self.plain, self.users, self.tls):
            s.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def not_run(client, why):
    print(f"*** {client} IS NOT RUN: {why}", file=sys.stderr, flush=True)
    return [outcome(client, c, "not run", why) for c in CAPABILITIES]


def run_python(client, env):
    got = client(env)
    try:
        return list(got.outcomes())
    finally:
        got.close()


def run_program(command, clients, **kwargs):
    """A program that prints its outcomes."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=150, cwd=ROOT, **kwargs)
    except subprocess.TimeoutExpired as e:
        done = subprocess.CompletedProcess(command, "none", (e.stdout or b"").decode(), (e.stderr or b"").decode())
    got = lines(done.stdout)
    for client in clients:
        seen = {o["capability"] for o in got if o["client"] == client}
        missing = [c for c in CAPABILITIES if c not in seen]
        got += [outcome(client, c, "not run", UNTRIED) for c in missing]
        if missing or done.returncode:
            print(f"{client}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}", file=sys.stderr)
    return got


def run_go(env):
    if not shutil.which(GO):
        return [o for c in (OURS_GO, DATABASE_SQL) for o in not_run(c, f"there is no {GO}")]
    command = [GO, "test", "-count", "1", "-run", "TestInterop", "-v", "./client"]
    return run_program(command, (OURS_GO, DATABASE_SQL), env={**os.environ, "FLIGHTD_INTEROP": json.dumps(env.given)})


def run_jdbc(env):
    if not shutil.which("java") or not shutil.which("javac"):
        return not_run(ARROW_JDBC, "there is no java and javac")
    if not os.path.exists(JDBC):
        return not_run(ARROW_JDBC, f"the driver could not be fetched (FLIGHTD_JDBC={JDBC!r})")
    command = ["java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-cp", JDBC, os.path.join(HERE, "Probe.java")]
    return run_program(command + [f"{k}={v}" for k, v in env.given.items()], (ARROW_JDBC,))


def run_node(env):
    if not shutil.which("node"):
        return not_run(NODE, "there is no node")
    if not os.path.isdir(MODULES):
        return not_run(NODE, f"its modules could not be fetched (FLIGHTD_NODE={MODULES!r})")
    command = ["node", os.path.join(HERE, "node/probe.js"), json.dumps(env.given)]
    return run_program(command, (NODE,), env={**os.environ, "NODE_PATH": MODULES})


def collect(only=()):
    """The outcomes of all checks, by client and capability."""
    servers = Servers()
    began = time.monotonic()
    try:
        envs = {name: servers.env("c%d" % i) for i, name in enumerate(CLIENTS)}
        jobs = []
        with ThreadPoolExecutor(3) as pool:
            if not only or "go" in only:
                jobs.append(pool.submit(run_go, envs[OURS_GO]))
            if not only or "jdbc" in only:
                jobs.append(pool.submit(run_jdbc, envs[ARROW_JDBC]))
            if not only or "node" in only:
                jobs.append(pool.submit(run_node, envs[NODE]))
            got = [o for c in PYTHON if not only or c.name in only for o in run_python(c, envs[c.name])]
            for job in jobs:
                got += job.result()
    finally:
        servers.close()
    print("%d checks in %.0f s" % (len(got), time.monotonic() - began), file=sys.stderr)
    return {(o["client"], o["capability"]): o for o in got}


def table(got):
    """The matrix as Markdown, with the reasons below it."""
    reasons = []

    def cell(client, capability):
        o = got[client, capability]
        if o["outcome"] not in ("no", "n/a"):
            return MARKS[o["outcome"]]
        why = NOTES.get((client, capability), o["reason"])
        if why not in reasons:
            reasons.append(why)
        return f"{MARKS[o['outcome']]} ({reasons.index(why) + 1})"

    out = ["| | " + " | ".join(CLIENTS) + " |", "|---" * (len(CLIENTS) + 1) + "|"]
    for capability, title in CAPABILITIES.items():
        out.append(f"| {title} | " + " | ".join(cell(c, capability) for c in CLIENTS) + " |")
    out.append("\nyes: done and checked · no: tried, and not possible · –: the client has nothing for it\n")
    out += [f"{i}. {why}" for i, why in enumerate(reasons, 1)]
    return "\n".join(out) + "\n"


def written(text):
    """The cells of a matrix, without the numbers of reasons."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    clients = rows[0]
    titles = {t: c for c, t in CAPABILITIES.items()}
    return {(client, titles.get(row[0], row[0])): value.split(" (")[0] for row in rows[1:] for client, value in zip(clients, row[1:])}


def compare(got, text):
    """What differs between the outcomes and the matrix in the document."""
    stands, out = written(text), []
    for client in CLIENTS:
        for capability, title in CAPABILITIES.items():
            o, old = got[client, capability], stands.pop((client, capability), None)
            skipped = o["outcome"] == "not run" and o["reason"] != UNTRIED
            if not skipped and MARKS[o["outcome"]] != old:
                out.append(f"{client}: {title}: {MARKS[o['outcome']]}, {os.path.relpath(DOCUMENT, ROOT)} says {old}. {o['reason']}")
    return out + [f"{client}: {title} stands in the document and is not checked" for client, title in stands if client]


def main():
    if "--only" in sys.argv:  # for work on one client
        for o in collect(sys.argv[sys.argv.index("--only") + 1 :]).values():
            print(f"{o['client']:24} {o['capability']:14} {o['outcome']:4} {o['reason'][:200]}")
        return 0
    got = collect()
    with contextlib.suppress(KeyError):
        with open(os.environ["FLIGHTD_CELLS"], "w") as f:
            f.writelines(json.dumps(o, ensure_ascii=False) + "\n" for o in got.values())
    text = table(got)
    print(text)
    with open(DOCUMENT) as f:
        document = f.read()
    before, rest = document.split(BEGIN)
    stands, after = rest.split(END)
    if "--write" in sys.argv:
        if any(o["outcome"] == "not run" for o in got.values()):
            print("not written: not every client was run", file=sys.stderr)
            return 1
        with open(DOCUMENT, "w") as f:
            f.write(before + BEGIN + text + END + after)
        return 0
    differences = compare(got, stands)
    for line in differences:
        print(textwrap.shorten(line, 400), file=sys.stderr)
    if differences:
        print("make clients-matrix writes the matrix anew, if that is what is true now", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
