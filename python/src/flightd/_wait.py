"""Waiting for the libraries underneath so that Ctrl-C works."""

from __future__ import annotations

import threading
from typing import Callable, TypeVar

T = TypeVar("T")


def interruptible(call: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Returns call(). If an exception such as KeyboardInterrupt comes while it
    runs, calls cancel, waits for the call's end and raises the exception.

    Python runs signal handlers only between two instructions of the main thread,
    and the calls that this is for wait inside C++ or Go.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    done = threading.Event()
    out: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            out.append(call())
        except BaseException as e:  # handed on to the caller
            failed.append(e)
        finally:
            done.set()

    worker = threading.Thread(target=work, name="flightd", daemon=True)
    worker.start()
    try:
        # The Go runtime inside ADBC has interrupted waits begin anew, so a wait without
        # an end would not see the signal.
        while not done.wait(0.1):
            pass
    except BaseException:
        cancel()
        done.wait(10)
        raise
    if failed:
        raise failed[0]
    return out[0]
