"""The client of w14: a Python process that reads and writes a table by Flight.
Arguments: uri, the server's process, files of the table, streams, get, put or append.
Prints the seconds, the CPU seconds of client and server, and the bytes."""

import json
import sys
import threading
import time

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq

from protocol import cpu_seconds

uri, server, path, streams, what = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]


def field(number, data):
    """A field of a protobuf message."""
    size, out = len(data), bytearray([number << 3 | 2])
    while size >= 0x80:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out) + data


def command(name, message):
    return flight.FlightDescriptor.for_command(
        field(1, b"type.googleapis.com/arrow.flight.protocol.sql." + name) + field(2, message))


def get(i, sizes):
    client = flight.connect(uri, generic_options=[("grpc.max_receive_message_length", -1)])
    info = client.get_flight_info(command(b"CommandStatementQuery", field(1, b"SELECT * FROM events")))
    for chunk in client.do_get(info.endpoints[0].ticket):
        sizes[i] += chunk.data.nbytes


table = None
if what != "get":
    table = pq.read_table(path).combine_chunks()
    batches = table.to_batches(max_chunksize=(2 << 20) // max(1, table.nbytes // table.num_rows))


def put(i, sizes):
    client = flight.connect(uri)
    # CREATE if it is not there, REPLACE if it is.
    options = field(1, b"\x08\x01\x10\x03")
    writer, _ = client.do_put(command(b"CommandStatementIngest", options + field(2, b"put%d" % i)), table.schema)
    for b in batches:
        writer.write_batch(b)
        sizes[i] += b.nbytes
    writer.close()


def append(i, sizes):
    """Numbered record batches into a table that is there, until all are durable."""
    client, name = flight.connect(uri), f"{time.time_ns()} {i}"
    writer, _ = client.do_put(flight.FlightDescriptor.for_path("append"), table.schema)
    for seq, b in enumerate(batches):
        writer.write_with_metadata(b, json.dumps({"producer": name, "seq": seq}).encode())
        sizes[i] += b.nbytes
    writer.close()


sizes = [0] * streams
cpu, begun = cpu_seconds([server]), time.perf_counter()
threads = [threading.Thread(target={"get": get, "put": put, "append": append}[what], args=(i, sizes)) for i in range(streams)]
for t in threads:
    t.start()
for t in threads:
    t.join()
wall = time.perf_counter() - begun
if min(sizes) == 0:
    raise SystemExit("a stream was empty")
print(json.dumps({"wall": wall, "cpu": cpu_seconds([server]) - cpu, "metrics": {"GB/s": sum(sizes) / wall / 1e9}}))
