# SPDX-License-Identifier: MIT
#
# The Entra stand-in (tests/servers/entra.mjs) as a Python object: a test asks it what was
# requested, orders failures and does the person's part. One server serves a worker's tests one
# after the other; reset() makes it new for each.

import json
import os
import urllib.error
import urllib.parse
import urllib.request

from util_server import Server

RESOURCE = 'https://apps.azureiotcentral.com'
DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'


class Entra(Server):
    def __init__(self, folder):
        """folder: an existing empty folder for the log and the test CA."""
        super().__init__('entra.mjs', '--tls', folder, log=os.path.join(folder, 'entra.log'))
        self.ca_bundle = os.path.join(folder, 'ca.pem')
        self.authority = self.ready['authority']
        self.tls_authority = f'https://localhost:{self.ready["tls_port"]}'
        self.proxy = f'http://127.0.0.1:{self.ready["proxy_port"]}'
        self.tenant = self.ready['tenant']
        self.clients = self.ready['clients']
        self.client_id = self.ready['clients']['own']
        self.service_secret = self.ready['service_secret']

    def reset(self):
        """As new: no requests, grants or failures, default options, listening."""
        self._order('reset')

    def keep(self):
        """From now on reset() comes back to the grants and tokens of this moment."""
        self._order('keep')

    def set(self, **options):
        """interval, device_code_ttl, access_token_ttl, rotation, ...: DEFAULTS in state.mjs."""
        self._order('set', **options)

    def requests(self, **wanted):
        """What was asked, oldest first. wanted: kind, grant_type, resource, via, status."""
        return self._order('requests', **wanted)['requests']

    def count(self, grant_type=None, **wanted):
        """How many token requests (of a grant type, if given) came in."""
        if grant_type:
            wanted['grant_type'] = grant_type
        return len(self.requests(**{'kind': 'token', **wanted}))

    def wait(self, count=1, timeout=20, **wanted):
        """Return when so many matching requests have come in (answered ones, with status=)."""
        got = self._order('wait', count=count, timeout=timeout, **wanted)['count']
        assert got >= count, f'{got} of {count} requests {wanted} came in {timeout} s'

    def clear(self):
        """Forget the requests so far."""
        self._order('clear')

    def fail(self, when='before', count=1, match=None, **failure):
        """
        The next count requests that match (kind, default token; grant_type; resource) fail:
        status, headers, body, error (with code, suberror, claims), delay_ms, drop, truncate.
        when='after': once the provider has done its work.
        """
        self._order('fail', when=when, count=count, match=match or {}, **failure)

    def heal(self):
        """No failure that was ordered is to come any more."""
        self._order('heal')

    def slow_down(self, count=1):
        self.fail(count=count, match={'grant_type': 'device_code'}, error='slow_down')

    def hold(self):
        """Keep token answers back (their requests are handled) until release()."""
        self._order('hold')

    def release(self):
        self._order('release')

    def revoke(self):
        """What an administrator's "revoke sessions" does: every refresh token is dead."""
        self._order('revoke')

    def approve(self, user_code, user=None):
        """The person enters the code at the verification URI and signs in."""
        self._order('approve', user_code=user_code, **({'user': user} if user else {}))

    def deny(self, user_code):
        self._order('deny', user_code=user_code)

    def browse(self, url, user=None):
        """The person signs in at an authorize URL; gives what the redirect URI answered."""
        return self._order('browse', url=url, **({'user': user} if user else {}))

    def decline(self, url):
        """The person presses "cancel" there; gives what the redirect URI answered."""
        return self._order('decline', url=url)

    def stop(self):
        """The network is gone: connections to it are refused."""
        self._order('stop')

    def start(self):
        self._order('start')

    def secrets(self):
        """Every secret issued so far. Never print one: use leaks()."""
        return self._order('secrets')['secrets']

    def leaks(self, text):
        """How many of the issued secrets text contains, for an assertion that prints none."""
        return sum(secret in text for secret in self.secrets())

    def post(self, path, **form):
        """A plain HTTP client of its own, for tests of the server: (status, JSON)."""
        request = urllib.request.Request(f'{self.authority}{path}',
                                         data=urllib.parse.urlencode(form).encode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def token(self, tenant='organizations', **form):
        return self.post(f'/{tenant}/oauth2/v2.0/token', client_id=self.client_id, **form)

    def device_code(self, tenant='organizations', resource=RESOURCE):
        """Ask for a device code as a client does: the JSON of the answer."""
        status, answer = self.post(
            f'/{tenant}/oauth2/v2.0/devicecode', client_id=self.client_id,
            scope=f'{resource}/.default offline_access openid profile')
        assert status == 200, answer
        return answer

    def poll(self, device, tenant='organizations'):
        return self.token(tenant, grant_type=DEVICE_GRANT, device_code=device['device_code'])

    def refresh(self, refresh_token, resource=RESOURCE, tenant='organizations'):
        return self.token(tenant, grant_type='refresh_token', refresh_token=refresh_token,
                          scope=f'{resource}/.default offline_access openid profile')

    def sign_in(self, user=None):
        """A whole device code sign-in: the JSON of the token answer."""
        device = self.device_code()
        self.approve(device['user_code'], user)
        status, answer = self.poll(device)
        assert status == 200, answer.get('error')
        return answer
