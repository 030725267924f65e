"""Regions of one network: each is a network namespace with an address on a bridge of this machine.

What runs `inside` a region has its own loopback, and reaches the rest through one veth pair.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from tests.missing import missing, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UP, DOWN = "up", "down"
"""The ways: what a region sends, and what is sent to it."""

OWN = Path("/proc/thread-self/ns/net")

NEW_NET = 0x4000_0000
"""CLONE_NEWNET of setns(2)."""

BRIDGE_MAC = "02:63:77:00:00:01"
NOBODY = "02:63:77:00:00:ff"
"""Frames to it arrive nowhere: they are dropped, and the sender is not told."""


class Network:
    """The bridge, with addresses for servers of this machine. As a context manager it is made, and
    removed in the end with its regions. It needs root.
    """

    def __init__(self) -> None:
        number = os.getpid() % 512  # several test processes of one machine
        self._prefix = f"198.{18 + number // 256}.{number % 256}"  # RFC 2544: never routed
        self.bridge = f"cw{os.getpid()}"
        self._made = ExitStack()
        self._regions = 0

    def __enter__(self) -> Self:
        with self._made:
            self._make("link", "add", self.bridge, "address", BRIDGE_MAC, "type", "bridge")
            self._made.callback(ip, "link", "delete", self.bridge)
            ip("link", "set", self.bridge, "up")
            self._made = self._made.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._made.close()

    def address(self, number: int) -> str:
        """One more address of this machine that regions reach."""
        found = f"{self._prefix}.{10 + number}"
        ip("address", "add", f"{found}/24", "dev", self.bridge)
        return found

    def region(self) -> Region:
        self._regions += 1
        name = f"{self.bridge}r{self._regions}"
        self._make("netns", "add", name)
        self._made.callback(ip, "netns", "delete", name)
        outer = f"{self.bridge}v{self._regions}"
        ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._made.callback(ip, "link", "delete", outer)  # with its namespace it goes later
        ip("link", "set", outer, "master", self.bridge, "up")
        return Region(name, self.bridge, f"{self._prefix}.{100 + self._regions}", self._regions)

    def _make(self, *what: str) -> None:
        try:
            ip(*what)
        except subprocess.CalledProcessError as error:
            missing(f"no network of namespaces can be made here: {error.stderr.strip()}")


class Region:
    def __init__(self, name: str, bridge: str, address: str, number: int) -> None:
        self.name, self.address, self.bridge = name, address, bridge
        self._mac = f"02:63:77:00:01:{number:02x}"
        self._ip("link", "set", "eth0", "address", self._mac, "up")
        self._ip("link", "set", "lo", "up")
        self._ip("address", "add", f"{address}/24", "dev", "eth0")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread's sockets, and the processes that it starts, are in the region."""
        with OWN.open() as outside, Path("/run/netns", self.name).open() as here:
            _enter(here)
            try:
                yield
            finally:
                _enter(outside)

    @contextmanager
    def cut(self, addresses: Sequence[str], *ways: str) -> Iterator[None]:
        """Nothing goes from here to the addresses, or from them to here, and nobody is told."""
        with ExitStack() as healing:
            if UP in ways:
                for address in addresses:
                    self._lead(address, NOBODY)
                    healing.callback(self._lead, address, BRIDGE_MAC)
            if DOWN in ways:
                self._lead_here(NOBODY)
                healing.callback(self._lead_here, self._mac)
            yield

    def _lead(self, address: str, mac: str) -> None:
        self._ip("neighbour", "replace", address, *_lasting(mac), "dev", "eth0")

    def _lead_here(self, mac: str) -> None:
        ip("neighbour", "replace", self.address, *_lasting(mac), "dev", self.bridge)

    def _ip(self, *what: str) -> None:
        ip("-netns", self.name, *what)


def ip(*what: str) -> None:
    """Raises CalledProcessError."""
    subprocess.run([program("ip"), *what], check=True, capture_output=True, text=True)


def _lasting(mac: str) -> tuple[str, ...]:
    return "lladdr", mac, "nud", "permanent"


def _enter(namespace: IO[str]) -> None:
    """Raises OSError. Python has setns from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace.fileno(), NEW_NET):
        raise OSError(ctypes.get_errno(), "setns", namespace.name)
