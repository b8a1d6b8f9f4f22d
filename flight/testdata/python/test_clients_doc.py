"""The examples of docs/clients.md, as they stand there, against what `make run` starts."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from server import ROOT, Server

sys.path.append(os.path.join(ROOT, "python/src"))

JDBC = os.environ.get("FLIGHTD_JDBC", "")
MODULES = os.environ.get("FLIGHTD_NODE", "")
GO = os.environ.get("GO", "go")
UNITED = "United Air Lines Inc."
# Headings of examples in Python, and what they print.
PYTHON = {
    "ADBC, Python": (UNITED, "departures"), "pandas": (UNITED,), "polars": (UNITED, "origin"), "pyarrow.flight": (UNITED,),
    "flightd for Python": (UNITED, "epoch 0"),
}  # fmt: skip


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--script", "examples/flights/flights.sql")
        cls.folder = tempfile.TemporaryDirectory()
        with open(os.path.join(ROOT, "docs/clients.md")) as f:
            cls.sections = dict(re.findall(r"^### (.*?)\n(.*?)(?=^##|\Z)", f.read(), re.S | re.M))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        cls.server.close()

    def code(self, heading, language):
        [code] = re.findall(rf"```{language}\n(.*?)```", self.sections[heading], re.S)
        self.assertIn("127.0.0.1:8815", code)
        return code.replace("127.0.0.1:8815", self.server.uri.split("//")[1])

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def program(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(UNITED, done.stdout)

    def test_python(self):
        for heading, words in PYTHON.items():
            with self.subTest(heading):
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    exec(self.code(heading, "python"), {"__name__": "example"})
                for word in words:
                    self.assertIn(word, printed.getvalue())

    def test_go(self):
        if not shutil.which(GO):
            self.skipTest(f"there is no {GO}")
        for heading in ("flightd for Go", "Go database/sql"):
            with self.subTest(heading):
                self.program(GO, "run", self.file("main.go", self.code(heading, "go")))

    def test_java(self):
        if not shutil.which("javac") or not os.path.exists(JDBC):
            self.skipTest("*** JDBC IS NOT RUN: there is no javac, or no driver (FLIGHTD_JDBC)")
        path = self.file("Example.java", self.code("JDBC", "java"))
        self.program("java", "--add-opens=java.base/java.nio=ALL-UNNAMED", "-cp", JDBC, path)

    def test_node(self):
        if not shutil.which("node") or not os.path.isdir(MODULES):
            self.skipTest("*** NODE IS NOT RUN: there is no node, or no modules (FLIGHTD_NODE)")
        os.environ["NODE_PATH"] = MODULES
        self.addCleanup(os.environ.pop, "NODE_PATH")
        self.program("node", self.file("example.js", self.code("Node", "js")))

    def test_every_example_is_run(self):
        examples = [h for h, text in self.sections.items() if "```" in text]
        self.assertEqual(sorted(examples), sorted([*PYTHON, "flightd for Go", "Go database/sql", "JDBC", "Node"]))


if __name__ == "__main__":
    unittest.main()
