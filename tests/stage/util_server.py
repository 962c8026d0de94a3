# SPDX-License-Identifier: MIT
#
# What the servers in tests/servers have in common: they tell their ports in one line of JSON when
# they are up, take orders on a control port, and end when their standard input does.

import json
import os
import subprocess
import urllib.error
import urllib.request

from util_process import Process

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../servers')


class Server:
    def __init__(self, program, *arguments, log):
        """log: the file that gets its output. What it told is in ready."""
        self.process = Process(
            [os.environ.get('NODE', 'node'), os.path.join(SERVERS, program), *arguments],
            dict(os.environ), log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.popen.stdout.readline()
        assert line, f'{program} does not start:\n{self.process.text()}'
        self.ready = json.loads(line)

    def close(self):
        self.process.popen.stdin.close()
        self.process.wait()
        self.process.kill_group()

    def _order(self, operation, /, **arguments):
        request = urllib.request.Request(f'http://127.0.0.1:{self.ready["control"]}/{operation}',
                                         data=json.dumps(arguments).encode(), method='POST')
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f'{operation}: {error.read().decode()}') from None
