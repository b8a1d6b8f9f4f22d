"""The notebook in examples/, cell by cell, against what `make run` starts."""

import os
import unittest

import nbclient
import nbformat

from server import ROOT, Server

NOTEBOOK = os.path.join(ROOT, "examples/notebook/departures.ipynb")


class Notebook(unittest.TestCase):
    def setUp(self):
        self.notebook = nbformat.read(NOTEBOOK, as_version=4)

    def test_is_stored_without_outputs(self):
        for cell in self.notebook.cells:
            if cell.cell_type == "code":
                self.assertEqual((cell.outputs, cell.execution_count), ([], None))

    def test_runs(self):
        server = Server("--script", "examples/flights/flights.sql")
        self.addCleanup(server.close)
        places = 0
        for cell in self.notebook.cells:
            places += cell.source.count("grpc://127.0.0.1:8815")
            cell.source = cell.source.replace("grpc://127.0.0.1:8815", server.uri)
        self.assertEqual(places, 1)
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.path.join(ROOT, "python/src")
        try:
            nbclient.NotebookClient(self.notebook, timeout=120, kernel_name="python3").execute()
        finally:
            os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
        shown = {cell.source.split("\n")[0]: self.shown(cell) for cell in self.notebook.cells if cell.cell_type == "code"}
        for first, words in {
            "import flightd": ("flightd.Connection",),
            "import time": ("<table>", "EWR", "United Air Lines Inc."),
            'of_newark = conn.sql("SELECT hour,': ("hour: timestamp[us, tz=UTC]",),
            "frame = of_newark.pandas()": ("<table", "hour (UTC)"),
            "import polars as pl": ("<table", "mean_delay"),
            'hourly = conn.query("hourly")': ("running", "hourly"),
            "report = hourly.progress() or {}": ("numInputRows",),
            'conn.execute("""': ("epoch 0: 3 airports changed", "epoch 2: "),
            "from IPython.display import HTML, display": ("epoch 5", "JFK", "background:#4878a8"),
            "import pyarrow as pa": ("3 rows are durable, the table has 3\n3 rows are durable, the table has 3",),
            'conn.sql("""': ("more snow", "LGA"),
            "try:": ("UNRESOLVED_COLUMN.WITH_SUGGESTION", "origin", "42703", "(1, 8)"),
        }.items():
            [text] = [t for source, t in shown.items() if source.startswith(first)]
            for word in words:
                with self.subTest(cell=first):
                    self.assertIn(word, text)

    @staticmethod
    def shown(cell):
        """Everything that a cell shows, as text and as HTML."""
        return "\n".join(out.get("text", "") + "".join(out.get("data", {}).values()) for out in cell.outputs)


if __name__ == "__main__":
    unittest.main()
