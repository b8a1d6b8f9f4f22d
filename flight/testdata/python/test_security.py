"""Users, roles, TLS and client certificates, as real clients meet them."""

import datetime
import os
import ssl
import subprocess
import tempfile
import time
import unittest

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight as flight
from adbc_driver_flightsql import DatabaseOptions

from server import BIN, Server


def user(users, *args, password=None):
    done = subprocess.run([BIN, "user", *args, "--users", users], input=password, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def authority(folder, name):
    """Makes an authority; returns the path of its certificate."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=" + name,
            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")
    return f"{folder}/{name}.pem"


def certificate(folder, name, ca):
    """Makes a certificate for 127.0.0.1; returns the paths of it and its key."""
    with open(f"{folder}/ext", "w") as f:
        f.write("subjectAltName=IP:127.0.0.1,DNS:localhost")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
    openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", ca, "-CAkey", ca[:-4] + ".key", "-CAcreateserial", "-days", "1",
            "-extfile", f"{folder}/ext", "-out", f"{folder}/{name}.pem")
    return f"{folder}/{name}.pem", f"{folder}/{name}.key"


def text(path):
    with open(path) as f:
        return f.read()


class Users(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.users = os.path.join(cls.folder.name, "users")
        for name in ("admin", "writer", "reader"):
            user(cls.users, "add", name, "--role", name, password=name + " secret\n")
        cls.token = user(cls.users, "token", "service", "--role", "reader")
        cls.server = Server("--users", cls.users)
        with cls.connect("admin") as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE t AS SELECT 1 AS a")

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.folder.cleanup()

    @classmethod
    def connect(cls, name, password=None, **kwargs):
        return dbapi.connect(cls.server.uri, db_kwargs={"username": name, "password": password or name + " secret", **kwargs}, autocommit=True)

    def test_password(self):
        with self.connect("reader") as conn, conn.cursor() as cur:
            cur.execute("SELECT * FROM t")
            self.assertEqual(cur.fetchall(), [(1,)])

    def test_wrong_password(self):
        for name, password in (("reader", "wrong"), ("nobody", "wrong"), ("reader", "")):
            with self.assertRaisesRegex(adbc_driver_manager.Error, r"(?i)unauthenticated|AUTHENTICATION_FAILED"):
                with self.connect(name, password or " ") as conn, conn.cursor() as cur:
                    cur.execute("SELECT 1")

    def test_no_password(self):
        with self.assertRaisesRegex(adbc_driver_manager.Error, "AUTHENTICATION_REQUIRED"):
            with dbapi.connect(self.server.uri, autocommit=True) as conn, conn.cursor() as cur:
                cur.execute("SELECT 1")

    def test_token(self):
        kwargs = {DatabaseOptions.AUTHORIZATION_HEADER.value: "Bearer " + self.token}
        with dbapi.connect(self.server.uri, db_kwargs=kwargs, autocommit=True) as conn, conn.cursor() as cur:
            cur.execute("SELECT * FROM t")
            self.assertEqual(cur.fetchall(), [(1,)])
        kwargs = {DatabaseOptions.AUTHORIZATION_HEADER.value: "Bearer " + self.token[:-1]}
        with self.assertRaisesRegex(adbc_driver_manager.Error, "INVALID_TOKEN"):
            with dbapi.connect(self.server.uri, db_kwargs=kwargs, autocommit=True) as conn, conn.cursor() as cur:
                cur.execute("SELECT 1")

    def test_roles(self):
        with self.connect("reader") as conn, conn.cursor() as cur:
            for statement in ("CREATE TABLE u (a INT)", "INSERT INTO t VALUES (2)", "DROP TABLE t", "CREATE TEMPORARY VIEW v AS SELECT 1"):
                with self.assertRaisesRegex(adbc_driver_manager.Error, "INSUFFICIENT_PERMISSIONS.*42501"):
                    cur.execute(statement)
            with self.assertRaisesRegex(adbc_driver_manager.Error, "INSUFFICIENT_PERMISSIONS"):
                cur.adbc_ingest("t", pa.table({"a": [1]}), mode="append")
            for statement in ("SHOW TABLES", "DESCRIBE t", "EXPLAIN SELECT * FROM t"):
                cur.execute(statement)
                cur.fetchall()
        with self.connect("writer") as conn, conn.cursor() as cur:
            self.assertEqual(cur.adbc_ingest("w", pa.table({"a": [1, 2]}), mode="create"), 2)
            cur.execute("DROP TABLE w")

    def test_pyarrow(self):
        client = flight.FlightClient(self.server.uri)
        with self.assertRaises(flight.FlightUnauthenticatedError):
            list(client.list_actions())
        with self.assertRaises(flight.FlightUnauthenticatedError):
            client.authenticate_basic_token("reader", "wrong")
        pair = client.authenticate_basic_token("reader", "reader secret")
        self.assertTrue(list(client.list_actions(flight.FlightCallOptions(headers=[pair]))))
        client.close()

    def test_files(self):
        with self.connect("admin") as conn, conn.cursor() as cur:
            with self.assertRaisesRegex(adbc_driver_manager.Error, "PATH_NOT_ALLOWED.*(?s:.*)--root"):
                cur.execute("CREATE TABLE e USING text OPTIONS (path '/etc/passwd')")

    def test_user_added_and_removed_while_it_runs(self):
        user(self.users, "add", "late", "--role", "reader", password="late secret\n")
        client = flight.FlightClient(self.server.uri)
        self.addCleanup(client.close)
        for _ in range(60):  # the server looks at the file every other second
            try:
                pair = client.authenticate_basic_token("late", "late secret")
                break
            except flight.FlightError:
                time.sleep(1.1)
        options = flight.FlightCallOptions(headers=[pair])
        self.assertTrue(list(client.list_actions(options)))
        user(self.users, "remove", "late")
        with self.assertRaises(flight.FlightUnauthenticatedError):
            for _ in range(600):
                list(client.list_actions(options))
                time.sleep(0.1)


class TLS(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        f = cls.folder.name
        cls.ca, cls.clients = authority(f, "ca"), authority(f, "clients")
        cls.cert, cls.key = certificate(f, "server", cls.ca)
        cls.client = certificate(f, "client", cls.clients)
        cls.users = os.path.join(f, "users")
        user(cls.users, "add", "ann", "--role", "admin", password="ann secret\n")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def serve(self, *args):
        server = Server("--tls-cert", self.cert, "--tls-key", self.key, *args)
        self.addCleanup(server.close)
        self.assertTrue(server.uri.startswith("grpc+tls://"))
        return server

    def ask(self, uri, **kwargs):
        with dbapi.connect(uri, db_kwargs=kwargs, autocommit=True) as conn, conn.cursor() as cur:
            cur.execute("SELECT 1")
            return cur.fetchall()

    def test_adbc(self):
        server = self.serve("--users", self.users)
        trust = {DatabaseOptions.TLS_ROOT_CERTS.value: text(self.ca)}
        self.assertEqual(self.ask(server.uri, username="ann", password="ann secret", **trust), [(1,)])
        with self.assertRaises(adbc_driver_manager.Error):
            self.ask(server.uri, username="ann", password="wrong secret", **trust)
        with self.assertRaises(adbc_driver_manager.Error):  # an authority that it does not trust
            self.ask(server.uri, username="ann", password="ann secret", **{DatabaseOptions.TLS_ROOT_CERTS.value: text(self.clients)})
        with self.assertRaises(adbc_driver_manager.Error):  # plain text
            self.ask(server.uri.replace("grpc+tls", "grpc"), username="ann", password="ann secret")

    def test_client_certificates(self):
        server = self.serve("--tls-client-ca", self.clients)
        trust = {DatabaseOptions.TLS_ROOT_CERTS.value: text(self.ca)}
        mine = {DatabaseOptions.MTLS_CERT_CHAIN.value: text(self.client[0]), DatabaseOptions.MTLS_PRIVATE_KEY.value: text(self.client[1])}
        self.assertEqual(self.ask(server.uri, **trust, **mine), [(1,)])
        with self.assertRaises(adbc_driver_manager.Error):
            self.ask(server.uri, **trust)

    def test_pyarrow(self):
        server = self.serve("--users", self.users)
        client = flight.FlightClient(server.uri, tls_root_certs=text(self.ca))
        pair = client.authenticate_basic_token("ann", "ann secret")
        self.assertTrue(list(client.list_actions(flight.FlightCallOptions(headers=[pair]))))
        client.close()

    def test_a_new_certificate_is_taken(self):
        server = self.serve()
        address = ("127.0.0.1", int(server.uri.rsplit(":", 1)[1]))

        def shown():
            return ssl.get_server_certificate(address)

        before = shown()
        with dbapi.connect(server.uri, db_kwargs={DatabaseOptions.TLS_ROOT_CERTS.value: text(self.ca)}, autocommit=True) as conn, conn.cursor() as cur:
            cur.execute("CREATE TEMPORARY VIEW v AS SELECT 7 AS n")
            cur.fetchall()
            certificate(self.folder.name, "server", self.ca)
            end = datetime.datetime.now() + datetime.timedelta(seconds=20)
            while shown() == before:
                self.assertLess(datetime.datetime.now(), end)
                time.sleep(0.2)
            cur.execute("SELECT * FROM v")  # the session hangs on the connection, which stayed
            self.assertEqual(cur.fetchall(), [(7,)])


class Refusals(unittest.TestCase):
    def refuse(self, *args):
        with tempfile.TemporaryDirectory() as data:
            done = subprocess.run([BIN, "serve", "--data", data, *args], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_other_computers(self):
        said = self.refuse("--listen", "0.0.0.0:0")
        for flag in ("--tls-cert", "--tls-key", "--insecure"):
            self.assertIn(flag, said)

    def test_a_file_that_others_may_read(self):
        with tempfile.TemporaryDirectory() as folder:
            users = os.path.join(folder, "users")
            user(users, "add", "ann", password="ann secret\n")
            self.assertEqual(os.stat(users).st_mode & 0o777, 0o600)
            os.chmod(users, 0o644)
            self.assertIn("chmod 600", self.refuse("--listen", "127.0.0.1:0", "--users", users))


if __name__ == "__main__":
    unittest.main()
