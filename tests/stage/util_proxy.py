# SPDX-License-Identifier: MIT
#
# A TCP proxy in front of the identity server with the faults of real networks: what it does with
# a connection is one of FAULTS, or PASS. It looks into plain HTTP just as far as it must; what
# goes over TLS it can only cut.

import asyncio
import random
import re
import threading

PASS = 'pass'
LOGIN_PAGE = (b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 61\r\n\r\n'
              b'<!DOCTYPE html><title>Sign in to the Hotel Wi-Fi</title><p>Hi')
ELSEWHERE = (b'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/portal\r\n'
             b'Content-Length: 0\r\n\r\n')
NOISE = random.Random(1).randbytes(4096)
APPLICATION_DATA = 23   # type of a TLS record


async def _read_message(reader):
    """One HTTP message with a Content-Length or without a body: (head, body)."""
    head = await reader.readuntil(b'\r\n\r\n')
    length = re.search(rb'(?i)\r\ncontent-length: *(\d+)', head)
    return head, await reader.readexactly(int(length[1])) if length else b''


class _Link:
    """One client's connection and, once it is needed, the server's."""

    def __init__(self, proxy, reader, writer):
        self.proxy = proxy
        self.reader = reader
        self.writer = writer
        self.upstream = None

    async def connect(self):
        reader, self.upstream = await asyncio.open_connection('127.0.0.1', self.proxy.upstream)
        return reader

    async def ask(self):
        """Pass the request on and keep the answer, which the server has given for good."""
        request = await _read_message(self.reader)
        answers = await self.connect()
        self.upstream.write(b''.join(request))
        answer = await _read_message(answers)
        self.proxy.answered += 1
        return answer

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def until_it_leaves(self):
        while await self.reader.read(65536):
            pass

    async def pump(self, reader, writer, until=lambda passed: False):
        passed = 0
        while not until(passed) and (data := await reader.read(65536)):
            writer.write(data)
            await writer.drain()
            passed += len(data)

    def cut(self):
        """A reset, as from a network that is gone."""
        for writer in self.writer, self.upstream:
            if writer:
                writer.transport.abort()


async def _pass(link):
    answers = await link.connect()
    pumps = [asyncio.ensure_future(link.pump(link.reader, link.upstream)),
             asyncio.ensure_future(link.pump(answers, link.writer))]
    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    for pump in pumps:
        pump.cancel()
    await asyncio.gather(*pumps, return_exceptions=True)


async def _silent(link):
    await link.until_it_leaves()


async def _cut_at_once(link):
    del link


async def _cut_request(link):
    await _read_message(link.reader)


async def _cut_answer(link):
    await link.ask()


async def _cut_headers(link):
    head, _ = await link.ask()
    await link.send(head[:len(head) // 2])


async def _cut_body(link):
    head, body = await link.ask()
    await link.send(head + body[:len(body) // 2])


async def _noise(link):
    await _read_message(link.reader)
    await link.send(NOISE)


async def _garbled(link):
    head, body = await link.ask()
    # Bit 0 of every seventh byte.
    await link.send(head + bytes(b ^ (i % 7 == 3) for i, b in enumerate(body)))


async def _slow(link):
    head, body = await link.ask()
    for byte in head + body:
        await link.send(bytes([byte]))
        await asyncio.sleep(1)


async def _huge(link):
    await _read_message(link.reader)
    await link.send(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"access_token":"')
    while True:
        await link.send(b'a' * 65536)


async def _endless_headers(link):
    await _read_message(link.reader)
    await link.send(b'HTTP/1.1 200 OK\r\n')
    while True:
        await link.send(b'X-More: %s\r\n' % (b'a' * 1000))


async def _wrong_type(link):
    head, body = await link.ask()
    await link.send(re.sub(rb'(?i)(\r\ncontent-type: )[^\r]*', rb'\1text/html', head) + body)


async def _login_page(link):
    await _read_message(link.reader)
    await link.send(LOGIN_PAGE)


async def _redirect(link):
    await _read_message(link.reader)
    await link.send(ELSEWHERE)


async def _tls_cut_handshake(link):
    answers = await link.connect()
    await link.pump(link.reader, link.upstream, lambda passed: passed > 0)
    await link.send((await answers.read(65536))[:100])


async def _tls_cut_answer(link):
    answers = await link.connect()
    handshake = asyncio.ensure_future(link.pump(answers, link.writer))
    # In TLS 1.3 the client's first encrypted record ends the handshake, its second is the request.
    encrypted = 0
    while encrypted < 2:
        head = await link.reader.readexactly(5)
        link.upstream.write(head + await link.reader.readexactly(int.from_bytes(head[3:])))
        await link.upstream.drain()
        encrypted += head[0] == APPLICATION_DATA
    handshake.cancel()


FAULTS = {
    PASS: _pass, 'silent': _silent, 'cut-at-once': _cut_at_once, 'cut-request': _cut_request,
    'cut-answer': _cut_answer, 'cut-headers': _cut_headers, 'cut-body': _cut_body,
    'noise': _noise, 'garbled': _garbled, 'slow': _slow, 'huge': _huge,
    'endless-headers': _endless_headers, 'wrong-type': _wrong_type, 'login-page': _login_page,
    'redirect': _redirect, 'tls-cut-handshake': _tls_cut_handshake,
    'tls-cut-answer': _tls_cut_answer,
}


class Proxy:
    def __init__(self, upstream):
        """upstream: the port on loopback that it stands before."""
        self.upstream = upstream
        self.calls = 0          # connections that were accepted
        self.answered = 0       # answers of the server that a fault has had in hand
        self.choose = lambda: PASS      # of each new connection: a name of FAULTS
        self._links = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._server = None
        self.port = 0
        self.listen()

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}'

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def be(self, fault):
        """From now on every connection meets this fault; those that are there are cut."""
        self.choose = lambda: fault
        self.cut()

    def listen(self):
        if not self._server:
            self._do(self._listen())

    def refuse(self):
        """Connections are refused, until listen()."""
        if self._server:
            self._do(self._refuse())

    def cut(self):
        """All connections that are there."""
        self._do(self._cut())

    def close(self):
        self._do(self._refuse())
        self._do(self._drain())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _listen(self):
        self._server = await asyncio.start_server(self._serve, '127.0.0.1', self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self):
        if self._server:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self):
        for link in list(self._links):
            link.cut()

    async def _drain(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader, writer):
        link = _Link(self, reader, writer)
        self._links.add(link)
        self.calls += 1
        try:
            await FAULTS[self.choose()](link)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass        # either side has left
        finally:
            self._links.discard(link)
            link.cut()
