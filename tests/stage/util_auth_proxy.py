# SPDX-License-Identifier: MIT
#
# A CONNECT proxy that wants a name and password, by Basic or by Digest (RFC 7617, RFC 7616): 407
# until it gets them, and then a way to the target, or to another proxy.

import base64
import hashlib
import re
import secrets
import socket

from util_tunnel import Relay

NO = b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: %s\r\n' \
     b'Content-Length: 0\r\nConnection: close\r\n\r\n'


def md5(*parts):
    return hashlib.md5(':'.join(parts).encode()).hexdigest()


class AuthProxy(Relay):
    def __init__(self, user, password, scheme='Basic', upstream=None):
        """upstream: the URL of a proxy behind this one; without one it connects by itself."""
        self.user, self.password, self.scheme = user, password, scheme
        self.upstream = upstream
        self.let_through = []       # HOST:PORT of those who knew them
        self.refused = 0
        self.nonce = secrets.token_hex(16)
        super().__init__()

    def _is_right(self, value):
        if self.scheme == 'Basic':
            given = base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()
            return value == f'Basic {given}'
        field = dict(re.findall(r'(\w+)="?([^",]*)"?', value))
        if not value.startswith('Digest ') or field.get('nonce') != self.nonce:
            return False
        want = md5(md5(self.user, 'here', self.password), self.nonce, field['nc'], field['cnonce'],
                   'auth', md5('CONNECT', field['uri']))
        return field['response'] == want

    def _answer(self, client):
        with client:
            head = b''
            while b'\r\n\r\n' not in head and (data := client.recv(65536)):
                head += data
            text = head.decode(errors='replace')
            host = re.match(r'CONNECT (\S+)', text)
            value = re.search(r'(?im)^proxy-authorization: *(.*?)\r$', text)
            if not host or not value or not self._is_right(value[1]):
                self.refused += bool(host)
                offer = 'Basic realm="here"' if self.scheme == 'Basic' else \
                    f'Digest realm="here", nonce="{self.nonce}", qop="auth"'
                client.sendall(NO % offer.encode())
                return
            self.let_through.append(host[1])
            if self.upstream:
                name, port = self.upstream.removeprefix('http://').split(':')
            else:
                name, port = host[1].rsplit(':', 1)
            with socket.create_connection((name, int(port))) as server:
                if self.upstream:
                    server.sendall(f'CONNECT {host[1]} HTTP/1.1\r\n\r\n'.encode())
                else:
                    client.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
                self._join(client, server)
