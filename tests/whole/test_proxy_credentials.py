# SPDX-License-Identifier: MIT
#
# A proxy that wants a name and password: the setting proxy-credentials, from the file to the
# proxy, and what is said when that is no way.

import os

import pytest

from util_auth_proxy import AuthProxy
from util_daemon import entra_account
from util_doctor import is_problem

ENTRA = 'https://login.microsoftonline.com'
PASSWORD = 'p@ss:w%41rd"\\ü&SECRET'


@pytest.fixture
def proxies():
    started = []

    def start(*arguments, **named):
        started.append(AuthProxy('ada', PASSWORD, *arguments, **named))
        return started[-1]
    yield start
    for proxy in started:
        proxy.close()


@pytest.fixture
def credentials(home):
    """Writes the file and gives its path."""
    path = os.path.join(home.folder, 'proxy-credentials')

    def write(text=f'ada:{PASSWORD}\n', mode=0o600):
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)
        os.chmod(path, mode)
        return path
    return write


def fetch(fetcher, entra, **fields):
    return fetcher.refresh(entra, entra.sign_in()['refresh_token'], authority=ENTRA,
                           ca_bundle=entra.ca_bundle, deadline=20, **fields).last()


@pytest.mark.parametrize('scheme', ['Basic', 'Digest'])
@pytest.mark.parametrize('end', ['', '\n'])
def test_it_gets_through(fetcher, entra, proxies, credentials, scheme, end):
    proxy = proxies(scheme, upstream=entra.proxy)
    event = fetch(fetcher, entra, proxy=proxy.url,
                  proxy_credentials=credentials(f'ada:{PASSWORD}{end}'))
    assert event['event'] == 'token', event.get('message')
    assert proxy.let_through == ['login.microsoftonline.com:443']


def test_for_a_proxy_of_the_environment(fetcher, entra, proxies, credentials):
    proxy = proxies(upstream=entra.proxy)
    fetcher.home.extra = {'https_proxy': proxy.url}
    assert fetch(fetcher, entra, proxy_credentials=credentials())['event'] == 'token'
    # As people write it there.
    fetcher.home.extra = {'https_proxy': proxy.url.replace(
        '//', '//ada:p%40ss:w%2541rd%22%5C%C3%BC%26SECRET@')}
    assert fetch(fetcher, entra)['event'] == 'token'
    fetcher.home.extra = {'https_proxy': proxy.url.replace('//', '//ada:SECRET@')}
    event = fetch(fetcher, entra)
    assert event['kind'] == 'misconfigured' and 'SECRET' not in event['message']
    assert 'refuses the name and password in the environment variable' in event['message']


def test_what_a_407_says(fetcher, entra, proxies, credentials):
    proxy = proxies(upstream=entra.proxy)
    event = fetch(fetcher, entra, proxy=proxy.url)
    assert event['kind'] == 'misconfigured' and "'proxy-credentials'" in event['message']
    assert '0600' in event['message'] and 'USER:PASSWORD' in event['message']
    path = credentials('ada:old-SECRET')
    event = fetch(fetcher, entra, proxy=proxy.url, proxy_credentials=path)
    assert event['kind'] == 'misconfigured' and 'SECRET' not in event['message']
    assert f'refuses the name and password in {path}' in event['message']
    assert proxy.let_through == []


@pytest.mark.parametrize('text, mode, says', [
    (None, 0, 'is missing'), ('', 0o600, 'is empty'), ('\n', 0o600, 'is empty'),
    ('adaSECRET\n', 0o600, 'has no line USER:PASSWORD'), (':SECRET', 0o600, 'has no line'),
    ('ada:SECRET\r\n', 0o600, 'CR LF'), ('ada:SECRET\nx', 0o600, 'more than one line'),
    ('ada:SECRET\n\n', 0o600, 'more than one line'),
    ('ada:SECRET\n', 0o640, 'chmod 600'), ('ada:SECRET\n', 0o604, 'chmod 600'),
    ('ada:' + 'SECRET' * 1000, 0o600, 'too long'), ('dir', 0, 'is no file'),
])
def test_a_file_that_is_none(fetcher, entra, home, proxies, credentials, text, mode, says):
    path = os.path.join(home.folder, 'proxy-credentials')
    if text == 'dir':
        os.mkdir(path)
    elif text is not None:
        credentials(text, mode)
    proxy = proxies(upstream=entra.proxy)
    event = fetch(fetcher, entra, proxy=proxy.url, proxy_credentials=path)
    assert event['kind'] == 'misconfigured' and 'SECRET' not in event['message']
    assert f"'proxy-credentials', {path}, " in event['message'] and says in event['message']
    assert proxy.let_through == [] and proxy.refused == 0
    # What goes to loopback without TLS goes past any proxy, and needs none.
    assert fetcher.refresh(entra, entra.sign_in()['refresh_token'], proxy=proxy.url,
                           proxy_credentials=path).last()['event'] == 'token'


def test_the_setting(daemon, entra, keyring, proxies, credentials, cli, doctor, central):
    proxy = proxies(upstream=entra.proxy)
    path = credentials('ada:old\n')
    settings = f'[iotc-token]\nproxy={proxy.url}\nca-bundle={entra.ca_bundle}\n'
    account = entra_account(entra, authority=ENTRA, apps=central.tls_host)
    direct = f'[iotc-token]\nproxy={entra.proxy}\nca-bundle={entra.ca_bundle}\n'
    daemon.start(direct + account)
    daemon.sign_in_before(entra)
    daemon.restart(settings + account)
    name, text = daemon.error_of(daemon.get_token, 'work', force=True)
    assert name == 'Misconfigured' and "'proxy-credentials'" in text
    daemon.restart(settings + f'proxy-credentials={path}\n' + account)
    name, text = daemon.error_of(daemon.get_token, 'work', force=True)
    assert name == 'Misconfigured' and f'refuses the name and password in {path}' in text
    credentials()
    daemon.restart()
    assert daemon.get_token('work', force=True)[1] == 'bearer'
    assert doctor.run(0)['proxy']['text'] == f'The setting proxy is {proxy.url}.'
    os.chmod(path, 0o644)
    is_problem(doctor.run(1)['proxy'], f'proxy-credentials, {path}, may be read', 'chmod 600')
    done = cli.run('api', '/api/devices')
    assert done.returncode == 6 and f'{path}, may be read by others' in done.stderr
    # What iotc-token api asks goes the same way.
    credentials()
    proxy.upstream = None
    cli.ok('api', '/api/devices')
    assert proxy.let_through[-1] == central.tls_host
    credentials('ada:old-SECRET\n')
    done = cli.run('api', '/api/devices')
    assert done.returncode == 6 and 'refuses the name and password' in done.stderr
    assert PASSWORD not in daemon.text() and 'SECRET' not in done.stderr
