"""Addresses of clusters: where they came from, and whether a cluster answers there."""

import socket
import threading

import pytest

from trainability.errors import InputError
from trainability.launch import address as address_module
from trainability.launch.address import Address, chosen_address, probe


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(address_module, "PROBE_S", 1.0)
    return monkeypatch


@pytest.mark.parametrize(
    ("given", "in_environment", "chosen"),
    [
        (None, None, None),
        (None, "", None),
        ("", " ", None),
        ("local", "1.2.3.4:5", None),
        (None, "local", None),
        ("1.2.3.4:5", "6.7.8.9:1", Address("1.2.3.4:5", "--address")),
        (None, "6.7.8.9:1", Address("6.7.8.9:1", "RAY_ADDRESS in the environment")),
        ("auto", "6.7.8.9:1", Address("6.7.8.9:1", "RAY_ADDRESS in the environment")),
        ("auto", None, Address("auto", "--address")),
        (None, "auto", Address("auto", "RAY_ADDRESS")),
    ],
)
def test_an_address_is_told_with_where_it_came_from(environment, given, in_environment, chosen):
    if in_environment is not None:
        environment.setenv("RAY_ADDRESS", in_environment)
    assert chosen_address(given) == chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "wanted HOST:PORT of the head"),
        ("127.0.0.1", "wanted HOST:PORT of the head"),
        ("127.0.0.1:99999", "wanted HOST:PORT of the head"),
        ("ray://", "wanted HOST:PORT of the head"),
        ("http://127.0.0.1:8265", "the form of the address for ray job submit"),
        ("s3://bucket/folder", r"got s3://; wanted"),
        ("127.0.0.1:1", r"nobody answers \(Connection refused\)"),
        ("[::1]:1", "nobody answers"),
        ("ray://127.0.0.1:1", r"nobody answers \(Connection refused\)"),
        ("ray://127.0.0.1", "nobody answers"),
        ("nosuchhost.invalid:6379", "nobody answers|no answer within"),
    ],
)
def test_an_address_without_a_cluster_is_refused(text, message):
    with pytest.raises(InputError, match=rf"(?s)\(from --address\).*{message}"):
        probe(Address(text, "--address"))


@pytest.fixture(params=["mute", "a web server"])
def stranger(request):
    """The port of a server that is no cluster."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            kept.append(connection)
            if request.param != "mute":
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    kept = []
    threading.Thread(target=answer, daemon=True).start()
    yield server.getsockname()[1]
    server.close()
    for connection in kept:
        connection.close()


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_who_listens_but_is_no_cluster_is_told_apart(stranger, scheme):
    with pytest.raises(InputError, match="it does not answer as Ray does"):
        probe(Address(f"{scheme}127.0.0.1:{stranger}", "--address"))


def test_a_name_that_is_looked_up_for_ever_is_given_up(environment):
    def for_ever(*_, **__):
        threading.Event().wait(100)
        raise OSError("nobody waits for this any more")

    environment.setattr(address_module.socket, "create_connection", for_ever)
    with pytest.raises(InputError, match="no answer within 1 s"):
        probe(Address("slow.example:6379", "--address"))
