# SPDX-License-Identifier: MIT
#
# The IoT Central stand-in (tests/servers/central.mjs) as a Python object: its application's URL,
# what was asked of it, its API tokens, and the failures that a test orders.

import os

from util_server import Server

ADMINISTRATOR = 'ca310b8d-2f4a-44e0-a36e-957c202cd8d4'
OPERATOR = 'ae2c9854-393b-4f97-8c42-479d70ce626e'


class Central(Server):
    def __init__(self, entra, folder):
        """folder: an existing empty folder. Bearer tokens are those that entra signed."""
        super().__init__('central.mjs', f'{entra.authority}/{entra.tenant}/discovery/v2.0/keys',
                         os.path.dirname(entra.ca_bundle), log=os.path.join(folder, 'central.log'))
        self.app = f'http://127.0.0.1:{self.ready["plain"]}'
        self.host = f'127.0.0.1:{self.ready["plain"]}'
        self.tls_host = f'localhost:{self.ready["tls"]}'

    def reset(self):
        self._order('reset')

    def set(self, **options):
        """devices, page_size, next_link, roles: DEFAULTS in central.mjs."""
        self._order('set', **options)

    def requests(self, **wanted):
        """What was asked, oldest first: method, path, query, authorization (its first word),
        content_type, headers, body, status. wanted: method, path, status."""
        return self._order('requests', **wanted)['requests']

    def asked(self, **wanted):
        """The same as a list of "METHOD path"."""
        return [f'{one["method"]} {one["path"]}' for one in self.requests(**wanted)]

    def wait(self, count=1, timeout=20, **wanted):
        """Return when so many matching requests have been handled."""
        got = self._order('wait', count=count, timeout=timeout, **wanted)['count']
        assert got >= count, f'{got} of {count} requests {wanted} came in {timeout} s'

    def clear(self):
        self._order('clear')

    def fail(self, method=None, path=None, count=1, **failure):
        """
        The next count requests of this method and path fail: status, headers, body, or code and
        message in the service's form; drop, hang, delay_ms. when='after': once it was done.
        """
        match = {'method': method, 'path': path}
        self._order('fail', count=count,
                    match={key: value for key, value in match.items() if value}, **failure)

    def issue(self, name, role=ADMINISTRATOR, seconds=365 * 86400):
        """Make an API token as the application's web page would."""
        return self._order('issue', id=name, roles=[{'role': role}], seconds=seconds)['token']

    def revoke(self, name):
        self._order('revoke', id=name)

    def tokens(self):
        """The ids of the API tokens that the application knows."""
        return self._order('tokens')['tokens']

    def expiry(self, name):
        return self._order('expiry', id=name).get('expiry')

    def secrets(self):
        """Every API token issued so far. Never print one: use leaks()."""
        return self._order('secrets')['secrets']

    def leaks(self, text):
        """How many of them text contains."""
        return sum(secret in text for secret in self.secrets())
