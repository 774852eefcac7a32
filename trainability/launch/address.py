"""The address of a Ray cluster: where it came from, and whether anybody answers there.

Ray itself waits for minutes for a cluster that is gone.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from ray._private import services

from trainability.addresses import remember, shown
from trainability.errors import InputError

PROBE_S = 5.0
_CLIENT = "ray://"
_CLIENT_PORT = 10001
_ANSWERS = {
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
}
"""What a server of gRPC says to a call that it refuses."""
_WANTED = "wanted a running one (ray start --head), or no address for an embedded Ray"


@dataclass(frozen=True)
class Address:
    """An address as it was given, and by what.

    Args:
        text: The address.
        origin: `--address`, or the environment variable that it stands in.
    """

    text: str
    origin: str

    @property
    def is_client(self) -> bool:
        return self.text.startswith(_CLIENT)

    def __str__(self) -> str:
        return f"{shown(self.text)} (from {self.origin})"


def chosen_address(given: str | None) -> Address | None:
    """The address of the cluster to use; None for an embedded Ray.

    Args:
        given: What --address says. `local` means an embedded Ray whatever the environment says,
            `auto` the cluster that RAY_ADDRESS or else this machine names.
    """
    in_environment = os.environ.get("RAY_ADDRESS", "").strip()
    text = (given or "").strip()
    if not text or text == "auto":
        if in_environment and in_environment != "auto":
            text, origin = in_environment, "RAY_ADDRESS in the environment"
        else:
            text, origin = text or in_environment, "--address" if text else "RAY_ADDRESS"
    else:
        origin = "--address"
    if text in ("", "local"):
        return None
    remember(text)
    return Address(text, origin)


def probe(address: Address) -> None:
    """Refuse an address where no cluster answers, within a few seconds.

    Raises:
        InputError: Says what is wrong, and where the address came from.
    """
    host, port = _host_and_port(address)
    why = _within(PROBE_S, lambda: _connection_problem(host, port)) or _within(
        2 * PROBE_S, lambda: _speech_problem(host, port)
    )
    if why:
        raise InputError(f"no Ray cluster at {address}: {why}; {_WANTED}")


def _host_and_port(address: Address) -> tuple[str, int]:
    text = address.text
    if text == "auto":
        try:
            text = services.get_ray_address_from_environment("auto", None)
        except ConnectionError:
            raise InputError(
                f"no Ray cluster on this machine, as {address} wants it; {_WANTED}"
            ) from None
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme != "ray":
        hint = "; that is the form of the address for ray job submit" if "http" in scheme else ""
        raise InputError(
            f"the address {address} can't be used, got {scheme}://{hint}; wanted HOST:PORT of the "
            "head, or ray://HOST:PORT of its client server"
        )
    host, colon, port = rest.partition("/")[0].rpartition(":")
    if not colon or "]" in port:
        host, port = rest.partition("/")[0], str(_CLIENT_PORT) if separator else ""
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535 or " " in host:
        raise InputError(
            f"the address {address} can't be used; wanted HOST:PORT of the head, such as "
            "10.0.0.1:6379, or ray://HOST:PORT of its client server"
        )
    return host, int(port)


def _connection_problem(host: str, port: int) -> str | None:
    try:
        socket.create_connection((host, port), timeout=PROBE_S).close()
    except (OSError, UnicodeError) as error:
        return f"nobody answers ({getattr(error, 'strerror', None) or error})"
    return None


def _speech_problem(host: str, port: int) -> str | None:
    """Whether whoever listens there speaks as Ray does; not asked where Ray uses TLS."""
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return None
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with grpc.insecure_channel(where, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            # Whether it knows this call, or who asks, does not matter.
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=PROBE_S)
        except grpc.RpcError as error:
            # gRPC makes such codes also of what a server of web pages says.
            is_web = "http2 header" in error.details()  # type: ignore[attr-defined]
            if is_web or error.code() not in _ANSWERS:  # type: ignore[attr-defined]
                return "something listens there, but it does not answer as Ray does"
    return None


def _within(seconds: float, ask: Callable[[], str | None]) -> str | None:
    """The answer, or that there was none: names of hosts are looked up without a limit."""
    answers: list[str | None] = []
    asking = threading.Thread(target=lambda: answers.append(ask()), daemon=True)
    asking.start()
    asking.join(seconds)
    return answers[0] if answers else f"no answer within {seconds:.0f} s"
