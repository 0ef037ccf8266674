"""Clients that are slow, stop in the middle or send too much: they hold nothing up and bring nothing down."""

import json
import contextlib
import socket
import threading
import time

import pytest

from clients import JSON_TYPE, TARGET, assert_serves

# Longer than any of the server's deadlines for a request's head or body.
CLOSED_SECONDS_MAX = 120
CONNECTIONS = 64


@pytest.fixture
def connect(shared_thalweg):
    """Opens raw connections; all are closed with the test, after which the server must serve."""
    opened = []

    def open_one():
        opened.append(socket.create_connection(("127.0.0.1", shared_thalweg.api_port), timeout=30))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()
    assert_serves(shared_thalweg.endpoint)


def head(length=None, operation="ListStreams", extra=""):
    """The head of a request with a body of `length` bytes."""
    lines = [
        "POST / HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {JSON_TYPE}",
        f"X-Amz-Target: {TARGET}{operation}",
    ]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode()


def status_of(connection):
    """The status of the reply, or None when the connection ends without one."""
    received = b""
    try:
        while b"\r\n" not in received:
            part = connection.recv(4_096)
            if not part:
                return None
            received += part
    except (ConnectionResetError, BrokenPipeError):
        return None
    return int(received.split(b" ")[1])


def send_all(connection, parts):
    """Sends until the server has had enough."""
    try:
        for part in parts:
            connection.sendall(part)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        pass


def test_a_request_that_comes_byte_by_byte_is_answered(connect):
    connection = connect()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pace = threading.Event()
    for byte in head(2) + b"{}":
        connection.sendall(bytes([byte]))
        # The client's own slowness: nothing is waited for here.
        pace.wait(0.002)
    assert status_of(connection) == 200


def test_connections_that_stop_in_the_middle_hold_nobody_up_and_are_closed(connect, shared_thalweg):
    nothing = [connect() for _ in range(CONNECTIONS)]
    half_a_head = [connect() for _ in range(CONNECTIONS)]
    half_a_body = [connect() for _ in range(CONNECTIONS)]
    for connection in half_a_head:
        connection.sendall(head(2)[:40])
    for connection in half_a_body:
        connection.sendall(head(1_000) + b'{"Limit":')
    assert_serves(shared_thalweg.endpoint)
    deadline = time.monotonic() + CLOSED_SECONDS_MAX
    for connection in half_a_head + half_a_body:
        connection.settimeout(max(0.1, deadline - time.monotonic()))
        status = status_of(connection)
        assert status is None or 400 <= status < 500, status
    for connection in nothing:
        connection.close()


def test_a_client_that_leaves_in_the_middle_is_forgotten(connect, shared_thalweg):
    for sent in (b"P", head(2)[:60], head(1_000) + b"{"):
        connection = connect()
        connection.sendall(sent)
        # Reset, not closed politely.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()
    assert_serves(shared_thalweg.endpoint)


def test_a_client_that_never_reads_its_replies_holds_nobody_up(connect, shared_thalweg):
    connection = connect()
    connection.settimeout(2)
    send_all(connection, [head(2) + b"{}"] * 20_000)
    assert_serves(shared_thalweg.endpoint)


def test_a_body_over_the_limit_is_refused(connect):
    connection = connect()
    size = 64 << 20
    body = (b" " * (1 << 20) for _ in range(size >> 20))
    send_all(connection, [head(size), *body])
    assert status_of(connection) in (400, 413, None)


def test_a_length_that_no_machine_holds_is_refused_before_the_body_comes(connect):
    for length in ("1000000000000", "99999999999999999999999999", "-1", "many"):
        connection = connect()
        connection.sendall(head(length))
        status = status_of(connection)
        assert status in (400, 413), (length, status)


def test_a_body_in_chunks_without_an_end_is_cut_off(connect):
    connection = connect()
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    send_all(connection, [head(extra="Transfer-Encoding: chunked\r\n"), *([chunk] * 64)])
    assert status_of(connection) in (400, 413, None)


def test_a_head_without_an_end_is_cut_off(connect):
    connection = connect()
    send_all(connection, [b"POST / HTTP/1.1\r\n", *[b"X-Filler: " + b"x" * 8_000 + b"\r\n"] * 1_000])
    status = status_of(connection)
    assert status is None or 400 <= status < 500


NOISE = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "zeros": b"\x00" * 1_000,
    "SMTP": b"HELO there\r\n\r\n",
    "ones": b"\xff" * 100,
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
def test_noise_is_no_request(connect, noise):
    connection = connect()
    connection.sendall(noise)
    # The server may have hung up already.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
    status = status_of(connection)
    assert status is None or 400 <= status < 500


def test_noise_after_the_preface_of_http2_ends_the_connection(connect):
    connection = connect()
    send_all(connection, [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\xff" * 100_000])
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:
        pass
    assert not received.startswith(b"HTTP/1.1 200")


def test_requests_in_a_pipeline_are_answered_in_order(connect):
    connection = connect()
    good, bad = head(2) + b"{}", head(1) + b"{"
    connection.sendall((good + bad) * 5)
    reader = connection.makefile("rb")
    for expected in [200, 400] * 5:
        assert int(reader.readline().split()[1]) == expected
        length = 0
        while (line := reader.readline().strip().lower()):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        json.loads(reader.read(length))
