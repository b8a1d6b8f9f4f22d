"""Arrow's C++ Flight server over a table in memory: what ours is compared with.
It answers DoGet for anything, and drops what DoPut brings; or, with a folder as second
argument, keeps it there as ours does before it says so: what goes to a path as record
batches in Arrow's IPC format, what becomes a table as Parquet, and both with fsync."""

import os
import sys
import threading

import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq


class Server(flight.FlightServerBase):
    def __init__(self, table):
        super().__init__("grpc://127.0.0.1:0")
        self.table = table

    def get_flight_info(self, context, descriptor):
        return flight.FlightInfo(self.table.schema, descriptor, [flight.FlightEndpoint(flight.Ticket(b""), [])], -1, -1)

    def do_get(self, context, ticket):
        return flight.RecordBatchStream(self.table)

    def do_put(self, context, descriptor, reader, writer):
        if folder is None:
            for chunk in reader:
                pass
            return
        path = os.path.join(folder, "put")
        with open(path, "wb") as f:
            is_path = descriptor.descriptor_type == flight.DescriptorType.PATH
            sink = pa.ipc.new_stream(f, reader.schema) if is_path else pq.ParquetWriter(f, reader.schema)
            for chunk in reader:
                sink.write_batch(chunk.data)
            sink.close()
            f.flush()
            os.fsync(f.fileno())
        os.unlink(path)


folder = sys.argv[2] if len(sys.argv) > 2 else None
table = pq.read_table(sys.argv[1])
# One record batch a message, of 2 MiB.
rows = (2 << 20) // max(1, table.nbytes // table.num_rows)
server = Server(pa.Table.from_batches(table.combine_chunks().to_batches(max_chunksize=rows)))
print(f"grpc://127.0.0.1:{server.port}", flush=True)
# It ends with whoever started it.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve()
