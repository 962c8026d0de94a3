# SPDX-License-Identifier: MIT
#
# The real Azure CLI, signed in for real, offline: HTTPS_PROXY leads it to the Entra stand-in.
# A sign-in takes az some seconds, so that a worker does it once into a template folder, and each
# test that wants an az gets a copy. The server's grants must outlive the reset between tests,
# so every test that uses az signs in at its own server state: see Az.sign_in().

import json
import os
import re
import shutil
import subprocess

from util_process import Process, wait_until

AZ = shutil.which('az', path='/usr/bin:/bin:/usr/local/bin')


class Az:
    def __init__(self, entra, folder):
        """folder: what AZURE_CONFIG_DIR names; az makes it when it isn't there."""
        self.entra = entra
        self.folder = folder

    def copy(self, folder):
        """An az in a folder of its own, signed in as this one is."""
        shutil.copytree(self.folder, folder)
        return Az(self.entra, folder)

    def env(self):
        """What a child that is az, or starts it, needs in its environment."""
        return {
            'AZURE_CONFIG_DIR': self.folder, 'HTTPS_PROXY': self.entra.proxy,
            'REQUESTS_CA_BUNDLE': self.entra.ca_bundle, 'AZURE_CORE_COLLECT_TELEMETRY': '0',
            'LC_ALL': 'C.UTF-8', 'TZ': 'UTC', 'PATH': '/usr/bin:/bin',
        }

    def run(self, *arguments):
        """Run az; gives the completed process, its output as text."""
        return subprocess.run([AZ, *arguments], env={**self.env(), 'HOME': self.folder},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)

    def sign_in(self, user=None):
        """az login by device code; the person approves at the server."""
        log = self.folder + '.login'
        process = Process([AZ, 'login', '--use-device-code', '--allow-no-subscriptions'],
                          {**self.env(), 'HOME': self.folder}, log)
        try:
            code = wait_until(
                lambda: re.search(r'enter the code (\S+)', process.text()) or not process.alive,
                'the device code of az login', 60)
            assert code is not True, process.text()
            self.entra.approve(code[1], user)
            assert process.wait(60) == 0, process.text()
        finally:
            process.kill_group()
            os.unlink(log)

    def token(self, *arguments):
        """az account get-access-token for IoT Central: its JSON."""
        done = self.run('account', 'get-access-token', '--resource',
                        'https://apps.azureiotcentral.com', '-o', 'json', *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
