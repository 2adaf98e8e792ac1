"""A live demo fleet for the whole run, started as a newcomer would start it."""

import os
import signal
import socket
import subprocess
import time

import grpc
import pytest


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def fleet_address():
    grpc_port, http_port = free_port(), free_port()
    address = f"127.0.0.1:{grpc_port}"
    process = subprocess.Popen(
        [
            os.environ["OSTLER"], "up", "--demo", "--for", "5m", "--no-agent", "--nodes-per-zone", "2",
            "--listen", address, "--listen-http", f"127.0.0.1:{http_port}",
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture()
def channel(fleet_address):
    with grpc.insecure_channel(fleet_address) as channel:
        yield channel


def eventually(look, seconds=30.0):
    """The first true answer of `look`; fails when none comes in a time so long that only a fault explains it."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.1)
