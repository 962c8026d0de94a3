# SPDX-License-Identifier: MIT
#
# The built iotc-token-fetch, as the daemon runs it: a request in, events out, one line of JSON
# each. What every test expects of it is checked here: its exit code, the form of its output, no
# word of a sanitizer, no secret on standard error.

import json
import os
import subprocess

from util_daemon import SANITIZER
from util_process import Process

EVENTS = {
    'prompt': {'method', 'verification_uri', 'user_code', 'message', 'expires_at'},
    'token': {'access_token', 'expires_in', 'refresh_in', 'refresh_token', 'scope', 'user',
              'tenant', 'date'},
    'error': {'kind', 'message', 'retry_after', 'code', 'claims', 'refresh_token', 'sent'},
}


class Fetch:
    """One fetch on its way."""

    def __init__(self, environment, program, request):
        self.process = Process([program], environment,
                               os.path.join(environment['HOME'], 'fetch.log'),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.stdin = self.process.popen.stdin
        self.stdout = self.process.popen.stdout
        if request is not None:
            self.stdin.write(request if isinstance(request, bytes)
                             else (json.dumps({'protocol': 1, **request}) + '\n').encode())
            self.stdin.close()

    def event(self):
        """The next event, or None at the end of the output."""
        line = self.stdout.readline()
        if not line:
            return None
        assert line.endswith(b'\n') and len(line) <= 64 * 1024
        event = json.loads(line)
        assert set(event) - {'event'} <= EVENTS[event['event']], sorted(event)
        return event

    def last(self):
        """The last event of a fetch that has ended as the protocol wants it."""
        last = None
        while event := self.event():
            assert last is None or last['event'] == 'prompt', 'an event after the last one'
            last = event
        assert self.process.wait() == 0
        assert not SANITIZER.search(self.process.text()), self.process.text()
        return last

    def error(self):
        """Its error event; the text is a person's."""
        event = self.last()
        assert event['event'] == 'error' and event['message'].strip(), sorted(event)
        return event

    def close(self):
        self.process.kill_group()
        self.stdin.close()
        self.stdout.close()


class Fetcher:
    """Starts fetches in a home; ends all that are left at the end."""

    def __init__(self, home):
        self.home = home
        self.program = os.path.join(home.build_dir, 'daemon/fetch/iotc-token-fetch')
        self.fetches = []

    def start(self, request):
        """request: a dictionary (protocol is added), or the bytes of a whole input."""
        self.fetches.append(Fetch(self.home.environment(), self.program, request))
        return self.fetches[-1]

    def entra(self, entra, method=None, **fields):
        """A fetch from the test's identity server; fields as they are in the request."""
        request = {'source': 'entra', 'authority': entra.authority, 'tenant': 'organizations',
                   'client_id': entra.client_id, 'resource': 'https://apps.azureiotcentral.com',
                   'deadline': 30, **({'method': method} if method else {}), **fields}
        return self.start({key: value for key, value in request.items() if value is not None})

    def refresh(self, entra, refresh_token, **fields):
        return self.entra(entra, 'refresh', refresh_token=refresh_token, **fields)

    def log(self):
        """What they all wrote to standard error: they share a file."""
        return self.fetches[0].process.text() if self.fetches else ''

    def close(self):
        for fetch in self.fetches:
            fetch.close()
