# SPDX-License-Identifier: MIT
#
# A CONNECT proxy before another one: it refuses the first calls, so that a request surely never
# left, and passes the rest on.

import socket
import threading


class Tunnel:
    def __init__(self, upstream, refuse):
        """upstream: the URL of the proxy behind; refuse: how many calls get 502."""
        host, port = upstream.removeprefix('http://').split(':')
        self.calls = 0
        self._upstream = (host, int(port))
        self._refuse = refuse
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._listener.getsockname()[1]}'
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            if self.calls <= self._refuse:
                connection.recv(4096)
                connection.sendall(b'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
                connection.close()
                continue
            upstream = socket.create_connection(self._upstream)
            for pair in (connection, upstream), (upstream, connection):
                self._threads.append(threading.Thread(target=self._pump, args=pair))
                self._threads[-1].start()

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
