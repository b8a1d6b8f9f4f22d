"""Where a server is."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

DEFAULT_PORT = 8815


class Location(NamedTuple):
    """A server's address, and whether the connection is encrypted."""

    host: str
    port: int
    tls: bool

    @property
    def uri(self) -> str:
        """The address as ADBC and pyarrow.flight spell it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"grpc+{'tls' if self.tls else 'tcp'}://{host}:{self.port}"


def parse(uri: str) -> Location:
    """Reads a URI: grpc://, grpc+tcp:// and flightd:// are plain text, grpc+tls://
    and flightd+tls:// encrypted, and flightsql:// too unless it ends in
    ?transport=tcp. Without a port it is 8815."""
    if "://" not in uri:
        uri = "flightd://" + uri
    u = urlsplit(uri)
    query = parse_qs(u.query)
    transport = query.pop("transport", [""])[-1]
    schemes = {"grpc": False, "grpc+tcp": False, "flightd": False, "grpc+tls": True, "flightd+tls": True, "flightsql": transport != "tcp"}
    if u.scheme not in schemes:
        raise ValueError(f"{uri!r}: there is no transport {u.scheme}; write grpc://host:port, or grpc+tls://host:port")
    if u.username or u.password:
        raise ValueError("a user and password belong into the arguments user and password: URIs end up in logs")
    if not u.hostname or u.path.strip("/") or query:
        raise ValueError(f"{uri!r} is not the URI of a server; write grpc://host:port")
    return Location(u.hostname, u.port or DEFAULT_PORT, schemes[u.scheme])
