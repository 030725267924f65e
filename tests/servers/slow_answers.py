"""A proxy before a server, whose answers come late."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import contextmanager, suppress


class SlowAnswers:
    """Between clients and the server at `port`: each piece of an answer waits for a while."""

    def __init__(self, at, port):
        self._port = port
        self._random = random.Random(port)
        self._ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", at))
        self._threads = [threading.Thread(target=self._accept)]
        self._sockets = [self._listening]
        self.delays_s = (0.0, 0.0)
        self._threads[0].start()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [client, server]
                self._start(self._pass, client, server)
                self._start(self._pass_late, server, client)

    def _start(self, do, *args):
        self._threads.append(threading.Thread(target=do, args=args))
        self._threads[-1].start()

    def _pass_late(self, source, to):
        self._pass(source, to, lambda: self._ended.wait(self._random.uniform(*self.delays_s)))

    def _pass(self, source, to, wait=lambda: None):
        with suppress(OSError):
            while piece := source.recv(1_000_000):
                wait()
                to.sendall(piece)
        with suppress(OSError):
            to.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._ended.set()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()


@contextmanager
def slow_answers(at, port):
    """What comes to the port `at` goes to `port`."""
    proxy = SlowAnswers(at, port)
    try:
        yield proxy
    finally:
        proxy.close()
