# SPDX-License-Identifier: MIT
#
# CONNECT proxies of the tests: what they share, and one before another proxy that refuses the first
# calls, so that a request surely never left, and passes the rest on.

import socket
import threading


class Relay:
    """A listener with a thread for each connection; a subclass says what is done with it."""

    def __init__(self):
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._listener.getsockname()[1]}'
        self._threads = []
        self._start(self._serve)

    def _start(self, function, *arguments):
        self._threads.append(threading.Thread(target=function, args=arguments))
        self._threads[-1].start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._answer, client)

    def _answer(self, client):
        raise NotImplementedError

    def _join(self, client, server):
        """Both ways, until both have ended."""
        back = threading.Thread(target=self._pump, args=(server, client))
        back.start()
        self._pump(client, server)
        back.join()

    @staticmethod
    def _pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in source, target:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


class Tunnel(Relay):
    def __init__(self, upstream, refuse):
        """upstream: the URL of the proxy behind; refuse: how many calls get 502."""
        host, port = upstream.removeprefix('http://').split(':')
        self.calls = 0
        self._upstream = (host, int(port))
        self._refuse = refuse
        super().__init__()

    def _answer(self, client):
        with client:
            self.calls += 1
            if self.calls <= self._refuse:
                client.recv(4096)
                client.sendall(b'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
                return
            with socket.create_connection(self._upstream) as server:
                self._join(client, server)
