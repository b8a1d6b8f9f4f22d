"""Starts the flightd binary for a test and stops it afterwards."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BIN = os.environ.get("FLIGHTD_BIN", os.path.join(ROOT, "bin/flightd"))


class Server:
    """A server on a free port with a data folder of its own."""

    def __init__(self, *args):
        self.args = args
        self.data = tempfile.mkdtemp(prefix="flightd-test-")
        self.start()

    def start(self):
        self.log = []
        self.process = subprocess.Popen(
            [BIN, "serve", "--listen", "127.0.0.1:0", "--data", self.data, *self.args],
            cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"uri=(grpc(?:\+tls)?://\S+)", line)
            if found:
                self.uri = found.group(1)
                break
        else:
            raise RuntimeError("the server did not start:\n" + "".join(self.log))
        self.reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.reader.join()
        self.process.stderr.close()
        return code

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
