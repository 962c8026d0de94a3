# SPDX-License-Identifier: MIT
#
# ./run demo: the main job as a person sees it, in a terminal, step by step, with real parts on
# this machine alone: a private session bus, a private keyring, stand-ins for Microsoft's identity
# server and for an application. The person's part of the sign-in (a browser, a code) is done by
# this script. It touches nothing of the one who runs it, ends by itself, and leaves nothing
# running.
#
# usage: demo.py BUILD-FOLDER

import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'stage'))

from util_bus import Bus
from util_central import Central
from util_daemon import Cli, Daemon, Home
from util_entra import RESOURCE, Entra
from util_keyring import Keyring

COLOUR = sys.stdout.isatty() and not os.environ.get('NO_COLOR')
CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'clients')


def paint(code, text):
    return f'\033[{code}m{text}\033[0m' if COLOUR else text


def say(text):
    print(paint('2', '\n'.join(f'# {line}' for line in text.split('\n'))))


def heading(text):
    print('\n' + paint('1;36', text))


def shorten(text):
    """Long secrets, shortened: nobody wants a kilobyte of a token in a terminal."""
    return re.sub(r'[A-Za-z0-9_.\-]{72,}|sig=[^&\s]{12,}',
                  lambda m: f'{m[0][:18]}…({len(m[0])} characters)', text)


def plain(line):
    """What is left to see of a line when the terminal has drawn it."""
    return re.sub(r'\x1b\[[0-9;]*[A-Za-z]', '', line).rsplit('\r', 1)[-1]


class Show:
    def __init__(self, environment):
        self.environment = {**environment, 'TERM': 'xterm', 'SYSTEMD_PAGER': 'cat',
                            **({} if COLOUR else {'NO_COLOR': '1'})}

    def run(self, *command, shown=None, stdin=None, on_line=lambda line: None):
        """
        Run a command in the open, on a terminal: the line that one types, what it prints. Gives
        its output. on_line hears of each line as it comes.
        """
        print(paint('1', f'$ {shown or " ".join(command)}'), flush=True)
        master, slave = pty.openpty()
        with subprocess.Popen(command, env=self.environment, text=True, stdout=slave,
                              stderr=slave, stdin=subprocess.PIPE) as process:
            os.close(slave)
            process.stdin.write(stdin or '')
            process.stdin.close()
            output = ''
            with open(master, encoding='utf-8', newline='\n', errors='replace') as terminal:
                # The end of a pseudo-terminal is an error.
                with contextlib.suppress(OSError):
                    for line in terminal:
                        output += line
                        line = line.rstrip('\r\n')
                        print(shorten(line if COLOUR else plain(line)), flush=True)
                        on_line(output)
        if process.returncode:
            raise SystemExit(f'{command[0]} ended with {process.returncode}')
        return output


def demo(show, entra, central, daemon):
    approved = []

    def approve(output):
        code = re.search(r'\b[B-DF-HJ-NP-TV-XZ]{9}\b', output)
        if code and not approved:
            approved.append(code[0])
            entra.approve(code[0])
            say(f'(the script opens that page, enters {code[0]} and signs in)')

    heading('Sign in, once')
    say('The code is entered in a browser: on this computer, or on a phone.')
    show.run('iotc-token', 'login', 'work', '--device-code', '--authority', entra.authority,
             '--client-id', entra.client_id, on_line=approve)
    show.run('iotc-token', 'status')

    heading('Every program on this desktop gets a header, fresh when it asks')
    show.run('iotc-token', 'get', '--header')

    heading('Or the answer itself, from an application')
    show.run('iotc-token', 'check', central.app)
    show.run('iotc-token', 'api', '/api/devices/thermostat', '--app', central.app)

    heading('An API token, made there and kept here, never shown')
    show.run('iotc-token', 'api-token', 'create', 'ci', '--role', 'operator', '--expiry', '90d',
             '--app', central.app)
    show.run('iotc-token', 'api-token', 'rotate', 'ci', '--app', central.app)
    show.run('iotc-token', 'list')

    heading('A program on the Azure SDK, which never heard of us')
    show.run('iotc-token', 'exec', 'work', '--', 'node', os.path.join(CLIENTS, 'sdk.mjs'),
             'DefaultAzureCredential', f'{RESOURCE}/.default',
             shown=f'iotc-token exec -- node sdk.mjs DefaultAzureCredential {RESOURCE}/.default')

    heading('The daemon dies, and the network is gone')
    before = show.run('iotc-token', 'get', 'work')
    print(paint('1', '$ kill -9 $(pidof iotc-tokend)'))
    daemon.kill9()
    entra.stop()
    say('The identity server is stopped: nothing answers there. The daemon starts again.')
    daemon.start()
    after = show.run('iotc-token', 'get', 'work')
    if before != after:
        raise SystemExit('the token after the restart is another one')
    say('The same token, from the keyring, without a word to the network.')

    heading('From any language: one D-Bus call')
    show.run('busctl', '--user', 'call', 'org.iotc.Token1', '/org/iotc/Token1',
             'org.iotc.Token1.Manager', 'GetToken', 'sa{sv}', 'work', '0')


def main(build_dir):
    folder = tempfile.mkdtemp(prefix='iotc-demo-')
    parts = contextlib.ExitStack()

    def sub(name):
        os.mkdir(os.path.join(folder, name), 0o700)
        return os.path.join(folder, name)

    try:
        parts.callback(shutil.rmtree, folder)
        entra = Entra(sub('entra'))
        parts.callback(entra.close)
        central = Central(entra, sub('central'))
        parts.callback(central.close)
        bus = Bus(sub('bus'))
        parts.callback(bus.close)
        keyring = Keyring(bus, sub('keyring'))
        parts.callback(keyring.close)
        keyring.start()
        home = Home(sub('home'), bus, build_dir)
        daemon = Daemon(home, bus, verbose=False)
        parts.callback(daemon.close)
        daemon.start()

        say('A private session bus, a private keyring, stand-ins for the identity server and an\n'
            'application, and iotc-tokend are running. Nothing here is yours, and nothing stays.')
        path = f'{os.path.join(build_dir, "client")}:/usr/bin:/bin'
        demo(Show({**Cli(home).environment(), 'PATH': path}), entra, central, daemon)
        print()
    finally:
        parts.close()


if __name__ == '__main__':
    main(os.path.abspath(sys.argv[1]))
