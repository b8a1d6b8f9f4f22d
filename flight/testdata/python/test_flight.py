"""The low level: pyarrow.flight against the server, and bytes that no client sends."""

import unittest

import pyarrow as pa
import pyarrow.flight as flight

from server import Server


class LowLevel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.client = flight.FlightClient(self.server.uri)

    def tearDown(self):
        self.client.close()

    def test_handshake(self):
        name, token = self.client.authenticate_basic_token("ann", "secret")
        self.assertEqual(name, b"authorization")
        self.assertTrue(token.startswith(b"Bearer "))

    def test_actions(self):
        names = {a.type for a in self.client.list_actions()}
        self.assertLessEqual({"CreatePreparedStatement", "CancelFlightInfo", "CloseSession"}, names)

    def test_refusals(self):
        with self.assertRaises(pa.ArrowInvalid):
            self.client.get_flight_info(flight.FlightDescriptor.for_command(b"SELECT 1"))
        with self.assertRaises(pa.ArrowInvalid):
            self.client.do_get(flight.Ticket(b"SELECT 1")).read_all()
        with self.assertRaises(pa.ArrowNotImplementedError):
            list(self.client.do_action(flight.Action("NoSuchAction", b"")))

    def test_put_to_no_table(self):  # a path is a stream table
        writer, _ = self.client.do_put(flight.FlightDescriptor.for_path("t"), pa.schema([("n", pa.int64())]))
        with self.assertRaisesRegex(pa.ArrowKeyError, "TABLE_OR_VIEW_NOT_FOUND"):
            writer.write_batch(pa.record_batch([pa.array([1])], names=["n"]))
            writer.close()


if __name__ == "__main__":
    unittest.main()
