# SPDX-License-Identifier: MIT
#
# iotc-token api, from the command to the application and back: what goes out, what is printed, and
# what a person is told when it goes wrong.

import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from util_daemon import entra_account, variants
from util_terminal import CTRL_C, Terminal

DEVICES = '/api/devices'


@pytest.fixture
def signed_in(daemon, entra, keyring, central):
    """The daemon, with one account that is signed in and the application's."""
    daemon.start(entra_account(entra, apps=central.tls_host))
    daemon.sign_in(entra)
    return daemon


def api(cli, central, *arguments, **named):
    return cli.run('api', *arguments, '--app', central.app, **named)


def failed(done, code, *words):
    assert done.returncode == code, (done.returncode, done.stderr)
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


def test_a_list(signed_in, cli, central):
    done = api(cli, central, DEVICES)
    assert (done.returncode, done.stderr) == (0, '')
    assert json.loads(done.stdout)['value'][0]['id']
    [asked] = central.requests()
    assert (asked['query'], asked['authorization']) == ('api-version=2022-07-31', 'Bearer')


def test_as_it_came(signed_in, cli, central):
    body = '{ "n": 123456789012345678901234567890,\n\t"x":1.10, "n":2}'
    central.fail(path=DEVICES, status=200, body=body)
    assert api(cli, central, DEVICES).stdout == body


def test_a_full_disk_is_told_once(signed_in, cli, central):
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([cli.program, 'api', DEVICES, '--app', central.app], stdout=full,
                              stderr=subprocess.PIPE, env=cli.environment(), text=True,
                              check=False)
    failed(done, 1, 'No space left on device')
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_laid_out_on_a_terminal(signed_in, cli, central, home):
    home.extra['NO_COLOR'] = '1'        # which is looked at in test_cli_api_gh.py
    central.fail(path=DEVICES, status=200,
                 body='{"n":12345678901234567890123,"a":[],"b":[{"c":"x\u202ey\\"z{"},null]} \n')
    with Terminal([cli.program, 'api', DEVICES, '--app', central.app],
                  cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert terminal.shown == '''{
  "n": 12345678901234567890123,
  "a": [],
  "b": [
    {
      "c": "x\\u202ey\\"z{"
    },
    null
  ]
}
'''


def test_no_garbage_on_a_terminal(signed_in, cli, central):
    central.fail(path=DEVICES, status=200, body='\x1b[2Jcaf\xe9 \x00', latin1=True,
                 headers={'content-type': 'image/png'})
    with Terminal([cli.program, 'api', DEVICES, '--app', central.app],
                  cli.environment()) as terminal:
        assert terminal.wait() == 1
    assert '\x1b' not in terminal.shown and '> FILE' in terminal.shown

    central.fail(path=DEVICES, status=200, body='one\ntwo \x1b[2J',
                 headers={'content-type': 'text/plain'})
    with Terminal([cli.program, 'api', DEVICES, '--app', central.app],
                  cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert terminal.shown == 'one\ntwo ?[2J\n'

    central.fail(path=DEVICES, status=200, body='{}', headers={'x-name': 'caf\xe9 \x9b2J'})
    with Terminal([cli.program, 'api', DEVICES, '-i', '--app', central.app],
                  cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert terminal.shown.startswith('HTTP/1.1 200 OK\n')
    assert 'x-name: caf? ?2J\n' in terminal.shown


def test_the_body_and_the_method(signed_in, cli, central, home):
    device = '{"displayName": "Pump", "enabled": true}'
    done = api(cli, central, f'{DEVICES}/pump', '-X', 'PUT', '-d', device)
    assert json.loads(done.stdout)['id'], done.stderr
    file = os.path.join(home.folder, 'device.json')
    with open(file, 'w', encoding='utf-8') as f:
        f.write(device)
    api(cli, central, f'{DEVICES}/pump', '-XPATCH', '-d', f'@{file}')
    api(cli, central, f'{DEVICES}/pump/commands/go', '-d', '-', stdin='{"request": 1}')
    api(cli, central, f'{DEVICES}/pump', '-X', 'DELETE')
    api(cli, central, f'{DEVICES}/pump/commands/go', '-X', 'POST')      # some servers answer 411
    asked = central.requests()
    assert asked.pop()['headers']['content-length'] == '0'
    assert [one['method'] for one in asked] == ['PUT', 'PATCH', 'POST', 'DELETE']
    assert [one['content_type'] for one in asked] == [
        'application/json', 'application/merge-patch+json', 'application/json', None]
    assert [one['body'] for one in asked] == [device, device, '{"request": 1}', '']


def test_nothing_to_print(signed_in, cli, central):
    done = api(cli, central, f'{DEVICES}/pump', '-X', 'DELETE')
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_headers_out_and_in(signed_in, cli, central):
    done = api(cli, central, DEVICES, '-i', '-H', 'If-Match: "7"', '-H',
               'x-ms-client-request-id: me')
    head, _, body = done.stdout.partition('\n\n')     # text mode
    assert head.startswith('HTTP/1.1 200 OK\n') and 'content-type: application/json' in head
    assert json.loads(body)['value']
    sent = central.requests()[0]['headers']
    assert (sent['if-match'], sent['x-ms-client-request-id']) == ('"7"', 'me')
    done = api(cli, central, DEVICES, '-X', 'HEAD')
    assert done.returncode == 0 and done.stdout.startswith('HTTP/1.1 200')


def test_headers_that_are_refused(signed_in, cli, central):
    for header in ('Authorization: Bearer x', 'host: x', 'no colon',
                   'X: two\r\nAuthorization: y', ': x', ' Authorization: x', 'X Y: z'):
        failed(api(cli, central, DEVICES, '-H', header), 2, 'Usage:')
    assert central.requests() == []


def test_the_api_version(signed_in, cli, central):
    api(cli, central, f'{DEVICES}?$top=1', '--api-version', '2022-10-31-preview')
    api(cli, central, f'{DEVICES}?api-version=1.0')
    assert [one['query'] for one in central.requests()] == [
        '$top=1&api-version=2022-10-31-preview', 'api-version=1.0']
    failed(api(cli, central, f'{DEVICES}?api-version=1.0', '--api-version', '1.1'), 2)


def test_the_application_that_is_meant(signed_in, cli, central, home, entra):
    home.extra['CURL_CA_BUNDLE'] = entra.ca_bundle
    assert json.loads(cli.ok('api', DEVICES))['value']
    assert json.loads(cli.ok('api', f'https://{central.tls_host}{DEVICES}'))['value']
    assert json.loads(cli.ok('api', f'{central.app}{DEVICES}'))['value']
    home.extra['IOTC_TOKEN_ACCOUNT'] = central.app
    assert json.loads(cli.ok('api', DEVICES))['value']
    assert len(central.requests()) == 4


def test_one_grammar_of_applications(daemon, entra, keyring, cli, central, home):
    """As the setting has it, the bus shows it and a URL names it: http on loopback stays http."""
    daemon.start(entra_account(entra, apps=f'{central.app.upper()}/devices')
                 + entra_account(entra, 'other', apps='http://127.0.0.8:443;http://[::1]'))
    daemon.sign_in(entra)
    assert daemon.get('Apps', 'work') == [central.app]
    assert daemon.get('Apps', 'other') == ['http://127.0.0.8:443', 'http://[::1]']
    assert json.loads(cli.ok('api', DEVICES, '--account', 'work'))['value']
    for selector in (central.app, central.host, f'{central.app}/api/devices?a#b'):
        assert daemon.call('FindAccount', '(s)', (selector,))[0].endswith('/work'), selector
        assert cli.run('get', selector).returncode == 0
    for selector in ('http://127.0.0.8:443', '127.0.0.8', 'http://[::1]:80', 'HTTP://[0::1]'):
        assert daemon.call('FindAccount', '(s)', (selector,))[0].endswith('/other'), selector
    # Written by an older version, or by somebody who leaves the scheme out.
    daemon.call('Set', '(ssv)', ('org.iotc.Token1.Account', 'Apps', variants(
        {'x': [central.host]})['x']), path='/org/iotc/Token1/account/work',
        interface='org.freedesktop.DBus.Properties')
    assert daemon.get('Apps', 'work') == [central.host]
    assert daemon.call('FindAccount', '(s)', (central.app,))[0].endswith('/work')
    assert json.loads(api(cli, central, DEVICES).stdout)['value']
    failed(cli.run('api', DEVICES, '--account', 'work'), 5, f'name it {central.app}')
    home.extra['IOTC_TOKEN_APP'] = central.app
    assert json.loads(cli.ok('api', DEVICES))['value']
    cli.ok('app', 'add', central.app, 'work')       # says how it is spoken to
    assert daemon.get('Apps', 'work') == [central.app]
    cli.ok('app', 'remove', central.host)
    assert daemon.get('Apps', 'work') == []
    for bad in (f'http://{central.host}@x', 'http://10.0.0.1:80', 'https://me@a.example',
                'http://127.0.0.1:0', 'https://a.example:65536'):
        assert cli.run('get', bad).returncode == 2, bad


def test_no_application_is_meant(daemon, entra, keyring, cli, central):
    daemon.start(entra_account(entra))
    failed(cli.run('api', DEVICES), 2, 'add --app HOST')
    daemon.call('Set', '(ssv)', ('org.iotc.Token1.Account', 'Apps', variants(
        {'x': ['one.example', 'two.example']})['x']),
        path='/org/iotc/Token1/account/work', interface='org.freedesktop.DBus.Properties')
    failed(cli.run('api', DEVICES), 2, 'one.example, two.example')


def test_a_host_that_gets_no_token(signed_in, cli):
    failed(cli.run('api', DEVICES, '--app', 'contoso.example', '--account', 'work'), 7)
    for app in ('ftp://x', 'http://contoso.azureiotcentral.com', 'a b',
                'https://me@contoso.azureiotcentral.com'):
        failed(cli.run('api', DEVICES, '--app', app), 2)


def test_no_password_is_shown(signed_in, cli, central):
    for arguments in (('https://me:s3cret@a.example/api',),
                      (DEVICES, '--app', 'me:s3cret@b.example'),
                      ('https://me:s3cret@a.example/api', '--app', central.app)):
        done = cli.run('api', *arguments)
        assert done.returncode == 2 and 's3cret' not in done.stderr, done.stderr
    page = {'value': [], 'nextLink': 'https://me:s3cret@a.example/'}
    central.fail(path=DEVICES, status=200, body=json.dumps(page))
    done = api(cli, central, DEVICES, '--paginate')
    assert done.returncode == 1 and 's3cret' not in done.stderr


def test_paths_that_are_refused(signed_in, cli, central):
    for path, why in (('http://127.0.0.2/api', 'is not on'), ('//x/api', 'no path'),
                      ('contoso.example/api', 'begins with https://'),
                      ('/api/a\nb', 'control character'), ('/api/devices?x#y', "'#'")):
        failed(api(cli, central, path), 2, 'Usage:', why)
    assert central.requests() == []


def test_a_path_as_people_write_it(signed_in, cli, central):
    for path in ('devices', 'api/devices', DEVICES, f'{central.app.upper()}{DEVICES}'):
        assert json.loads(api(cli, central, path).stdout)['value'], path
    assert central.asked() == [f'GET {DEVICES}'] * 4


def test_a_filter_is_encoded(signed_in, cli, central):
    for given, sent in (('filter=displayName eq "Küche|1"',
                         'filter=displayName%20eq%20%22K%C3%BCche%7C1%22'),
                        ("filter=displayName%20eq%20'x'&$top=1",
                         "filter=displayName%20eq%20'x'&$top=1"),
                        ('filter=x eq "50%"', 'filter=x%20eq%20%2250%25%22')):
        central.clear()
        assert api(cli, central, f'{DEVICES}?{given}').returncode == 0
        [asked] = central.requests()
        assert asked['query'] == f'{sent}&api-version=2022-07-31'
    api(cli, central, f'{DEVICES}/a b')
    assert central.requests()[-1]['path'] == f'{DEVICES}/a%20b'


def test_all_pages_as_one(signed_in, cli, central):
    central.set(devices=60, page_size=25)
    done = api(cli, central, DEVICES, '--paginate')
    devices = json.loads(done.stdout)
    assert list(devices) == ['value']
    assert [one['id'] for one in devices['value']] == [f'device-{i}' for i in range(60)]
    assert [one['query'] for one in central.requests()] == [
        'api-version=2022-07-31', 'api-version=2022-07-31&$skiptoken=25',
        'api-version=2022-07-31&$skiptoken=50']


def test_pages_on_a_terminal(signed_in, cli, central, home):
    home.extra['NO_COLOR'] = '1'
    central.set(devices=3, page_size=2)
    with Terminal([cli.program, 'api', DEVICES, '--paginate', '--app', central.app],
                  cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert json.loads(terminal.shown)['value'][2]['id'] == 'device-2'
    assert terminal.shown.startswith('{\n  "value": [\n    {\n      "id": "device-0"')


def test_pages_are_counted_for_a_person_who_waits(signed_in, cli, central, home):
    central.set(devices=5, page_size=2)
    out = os.path.join(home.folder, 'devices.json')
    with Terminal(['/bin/sh', '-c', f'{cli.program} api {DEVICES} --paginate --app {central.app} '
                   f'> {out}'], cli.environment()) as terminal:
        assert terminal.wait() == 0
    assert '\r4 so far, page 2' in terminal.shown and terminal.shown.endswith('\r\033[K')
    with open(out, encoding='utf-8') as file:
        assert len(json.load(file)['value']) == 5


def part(done, code, *words):
    """What was printed of a list that could not be read to its end: JSON that says so."""
    text = failed(done, code, *words)
    assert len(text.splitlines()) == 1, text
    whole = json.loads(done.stdout)
    assert list(whole) == ['value', 'nextLink']
    return whole


@pytest.mark.parametrize('end', [None, '', 'absent'])
def test_the_end_of_a_list(signed_in, cli, central, end):
    page = {'value': [1, 2]} if end == 'absent' else {'value': [1, 2], 'nextLink': end}
    central.fail(path=DEVICES, status=200, body=json.dumps(page))
    done = api(cli, central, DEVICES, '--paginate')
    assert (done.returncode, done.stderr, done.stdout) == (0, '', '{"value":[1, 2]}\n')


@pytest.mark.parametrize('link', ['/api/devices?$skiptoken=a b', '?$skiptoken=a b',
                                  'devices?$skiptoken=a b', '//{host}/api/devices?$skiptoken=a b'])
def test_a_relative_next_page(signed_in, cli, central, link):
    pages = [{'value': ['Küche'], 'nextLink': link.format(host=central.host)}, {'value': ['ok']}]
    for page in pages:
        central.fail(path=DEVICES, status=200, body=json.dumps(page, ensure_ascii=False))
    done = api(cli, central, f'{DEVICES}?x=1', '--paginate', '--api-version', '2022-10-31-preview')
    assert (done.returncode, done.stderr) == (0, '')
    assert json.loads(done.stdout) == {'value': ['Küche', 'ok']}
    assert [one['query'] for one in central.requests()] == [
        'x=1&api-version=2022-10-31-preview',
        '$skiptoken=a%20b&api-version=2022-10-31-preview']


@pytest.mark.parametrize('link', [
    'https://thief.example/api/devices', 'http://127.0.0.2:9/api/devices', 'file:///etc/passwd',
    '{app}@thief.example/', '//thief.example/api', '{app}9/api/devices',
    'https://{host}/api/devices', 'http://x@{host}/api/devices'])
def test_a_next_page_elsewhere_gets_no_token(signed_in, cli, central, link):
    link = link.format(app=central.app, host=central.host)
    central.set(devices=60, next_link=link)
    shown = link.rpartition('@')[2]     # never a name and a password
    whole = part(api(cli, central, DEVICES, '--paginate'), 1, 'not followed', shown)
    assert whole['nextLink'] == link and len(whole['value']) > 1
    assert len(central.requests()) == 1


@pytest.mark.parametrize('link, shown', [
    (7, '7'), (['/api/devices'], '[ "\\/api\\/devices" ]'), ('/api/\n', '/api/\n'),
    ('/api/devices#x', '/api/devices#x'), ('/api/devices\0x', '/api/devices')])
def test_a_next_page_that_is_no_url(signed_in, cli, central, link, shown):
    central.fail(path=DEVICES, status=200, body=json.dumps({'value': [1], 'nextLink': link}))
    whole = part(api(cli, central, DEVICES, '--paginate'), 1, 'no URL')
    assert whole == {'value': [1], 'nextLink': shown}
    assert len(central.requests()) == 1


def test_pages_in_a_circle(signed_in, cli, central):
    central.set(devices=60, next_link=f'{central.app}{DEVICES}?api-version=2022-07-31')
    part(api(cli, central, DEVICES, '--paginate'), 1, 'without end')


def test_pages_in_a_wider_circle(signed_in, cli, central):
    ring = ['/api/jobs', '/api/roles', '/api/users']
    for i, path in enumerate([DEVICES, *ring]):
        page = {'value': [i], 'nextLink': central.app + ring[i % 3]}
        central.fail(path=path, count=20, status=200, body=json.dumps(page))
    part(api(cli, central, DEVICES, '--paginate'), 1, 'without end')
    assert len(central.requests()) < 12


@pytest.mark.parametrize('failure, code, words', [
    ({'status': 404, 'code': 'NotFound', 'message': 'Gone.'}, 1, 'Gone (NotFound'),
    ({'status': 403, 'code': 'Forbidden'}, 6, 'does not allow'),
    ({'status': 503, 'body': '', 'count': 9, 'headers': {'retry-after': '0'}}, 5, 'HTTP 503'),
    ({'drop': True, 'count': 9}, 5, 'gave no answer'),
    ({'status': 200, 'body': '<html>'}, 1, 'page 2 is no list'),
    ({'status': 200, 'body': '{"value":[1],"nextLink":"x'}, 1, 'page 2 is no list'),
    ({'status': 200, 'body': ''}, 1, 'page 2 is no list'),
    ({'status': 200, 'body': '{}'}, 1, 'page 2 is no list'),
    ({'status': 200, 'body': '[]'}, 1, 'page 2 is no list'),
    ({'status': 200, 'body': '{"value":{"id":1}}'}, 1, 'page 2 is no list'),
    ({'status': 200, 'body': '{"value":null}'}, 1, 'page 2 is no list'),
    ({'status': 204, 'body': ''}, 1, 'page 2 is no list')],
    ids=lambda it: None if isinstance(it, int) else str(it)[:30])
def test_a_page_that_fails_is_no_whole_list(signed_in, cli, central, failure, code, words):
    page = {'value': ['Küche'], 'nextLink': '/api/jobs?page=2'}
    central.fail(path=DEVICES, status=200, body=json.dumps(page, ensure_ascii=False))
    central.fail(path='/api/jobs', **failure)
    done = api(cli, central, DEVICES, '--paginate')
    done.stderr = '\n'.join(line for line in done.stderr.splitlines() if 'again in' not in line)
    assert part(done, code, words) == {'value': ['Küche'],
                                       'nextLink': f'{central.app}/api/jobs?page=2'}


@pytest.mark.parametrize('body, shown', [('<html>', ''), ('', ''), ('{"id":1}', '{"id":1}'),
                                         ('{"value":1}', '{"value":1}'), ('[1]', '[1]')])
def test_what_is_no_list_is_no_success(signed_in, cli, central, body, shown):
    central.fail(path=DEVICES, status=200, body=body)
    done = api(cli, central, DEVICES, '--paginate')
    failed(done, 1, 'page 1 is no list')
    assert done.stdout == shown


@pytest.mark.parametrize('body, elements', [
    ('{"value":[1],"value":[2,3]}', [2, 3]), ('{"value":[1],"value":[]}', []),
    ('{"value": [ ] , "x":{"value":[1]}}', []), ('{"x":"\\"value\\":[1]","value":[2]}', [2])])
def test_odd_pages(signed_in, cli, central, body, elements):
    page = {'value': ['a'], 'nextLink': '/api/jobs'}
    central.fail(path=DEVICES, status=200, body=json.dumps(page))
    central.fail(path='/api/jobs', status=200, body=body)
    assert json.loads(api(cli, central, DEVICES, '--paginate').stdout) == {
        'value': ['a', *elements]}


@pytest.mark.parametrize('arguments', [(), ('--paginate',)])
def test_a_reader_who_has_seen_enough(signed_in, cli, central, arguments):
    page = {'value': ['x' * 2000000], 'nextLink': '/api/devices?page=2'}
    central.fail(path=DEVICES, count=9, status=200, body=json.dumps(page))
    with subprocess.Popen([cli.program, 'api', DEVICES, *arguments, '--app', central.app],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=cli.environment()) as process:
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b''
        assert process.wait(60) == -signal.SIGPIPE
    assert len(central.requests()) == 1


@pytest.mark.parametrize('size', [10, 20000, 2000000])
def test_a_full_disk_is_told_by_its_name(signed_in, cli, central, size):
    central.fail(path=DEVICES, status=200, body=json.dumps({'value': ['x' * size]}))
    for arguments in ((), ('--paginate',)):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run([cli.program, 'api', DEVICES, *arguments, '--app', central.app],
                                  stdout=full, stderr=subprocess.PIPE, env=cli.environment(),
                                  text=True, check=False)
        failed(done, 1, 'No space left on device')
        assert len(done.stderr.splitlines()) == 1, done.stderr


def test_an_error_is_a_sentence(signed_in, cli, central):
    for status, code, words in ((403, 6, 'Permissions'), (404, 1, 'no such thing'),
                                (409, 1, 'refused'), (422, 1, 'refused')):
        central.fail(path=DEVICES, status=status, code='Whatever',
                     message='It is so. You can contact support at x. Request ID: q')
        done = api(cli, central, DEVICES)
        text = failed(done, code, words, 'It is so (Whatever, request 1a2b3c4d)')
        assert len(text.splitlines()) == 1 and 'support' not in text
        assert json.loads(done.stdout)['error']['code'] == 'Whatever'


def test_a_guest_is_told(signed_in, cli, central):
    central.fail(path=DEVICES, status=403, code='403.043.004.005',
                 message='User principals must get tokens from the common tenant')
    failed(api(cli, central, DEVICES), 6, 'guest', 'iotc-token login work --tenant')


def test_too_many_requests_are_waited_for(signed_in, cli, central):
    central.fail(path=DEVICES, status=429, code='TooMany', headers={'retry-after': '1'})
    done = api(cli, central, DEVICES)
    assert done.returncode == 0 and json.loads(done.stdout)['value']
    assert len(central.requests()) == 2


def test_a_wait_that_is_too_long(signed_in, cli, central):
    central.fail(path=DEVICES, status=429, code='TooMany', headers={'retry-after': '600'})
    failed(api(cli, central, DEVICES), 5, 'Try again in 600 s')


def test_faults_of_the_service(signed_in, cli, central):
    central.fail(path=DEVICES, status=503, body='<html>', count=2, headers={'retry-after': '0'})
    assert api(cli, central, DEVICES).returncode == 0
    central.fail(status=502, body='<html>', count=5, headers={'retry-after': '0'})
    failed(api(cli, central, DEVICES), 5, 'HTTP 502')
    central.clear()
    central.fail(status=503, body='', headers={'retry-after': '0'})
    failed(api(cli, central, DEVICES, '-d', '{}'), 5)
    assert len(central.requests()) == 1, 'a POST may have been carried out'


def test_a_rejected_token_is_reported_and_another_tried(signed_in, cli, central, entra):
    before = signed_in.get_token('work')[0]
    central.fail(path=DEVICES, status=401, code='Unauthenticated')
    done = api(cli, central, DEVICES)
    assert done.returncode == 0 and done.stderr == ''
    assert [one['status'] for one in central.requests()] == [401, 200]
    assert signed_in.get_token('work')[0] != before


def test_a_challenge_that_is_no_text_is_none(signed_in, cli, central):
    """A header may hold any bytes (RFC 9110, section 5.5); the bus takes text."""
    central.fail(path=DEVICES, status=401, code='Unauthenticated',
                 headers={'www-authenticate': 'Bearer error_description="ung\xfcltig"'})
    done = api(cli, central, DEVICES)
    assert done.returncode == 0 and done.stderr == '', done.stderr


@pytest.mark.parametrize('status', [0, 3])
def test_a_challenge_that_is_too_long_is_none(signed_in, cli, central, status):
    central.fail(path=DEVICES, status=401, code='Unauthenticated', count=9 if status else 1,
                 headers={'www-authenticate': f'Bearer claims="{"A" * 50000}"'})
    done = api(cli, central, DEVICES)
    assert done.returncode == status and 'too long' not in done.stderr, done.stderr
    assert len(central.requests()) == 2


def test_rejected_for_good(signed_in, cli, central):
    central.fail(path=DEVICES, status=401, code='Unauthenticated', count=9)
    done = api(cli, central, DEVICES)
    failed(done, 3, 'rejected the token', 'iotc-token login work')
    assert len(central.requests()) == 2


def test_an_api_token_goes_as_it_is(daemon, keyring, cli, central):
    daemon.start('')
    token = central.issue('ci')
    cli.ok('api-token', 'add', 'ci', '--app', central.app, stdin=token)
    assert json.loads(api(cli, central, DEVICES).stdout)['value']
    assert central.requests()[0]['authorization'] == 'SharedAccessSignature'
    central.revoke('ci')
    failed(api(cli, central, DEVICES), 3, 'api-token add ci --replace')
    assert 'rejected' in daemon.get('LastError', 'ci')[1]


def test_no_redirect_is_followed(signed_in, cli, central):
    central.fail(path=DEVICES, status=307, body='',
                 headers={'location': f'{central.app}{DEVICES}/elsewhere'})
    failed(api(cli, central, DEVICES), 1, '/elsewhere', 'not followed')
    assert len(central.requests()) == 1


def test_nobody_answers(signed_in, cli, central):
    failed(cli.run('api', DEVICES, '--app', 'http://127.0.0.1:1'), 5, "can't reach 127.0.0.1:1")
    central.fail(path=DEVICES, drop=True, count=9)
    failed(api(cli, central, DEVICES), 5, 'gave no answer')


@pytest.mark.parametrize('answer, code, words', [
    (b'SSH-2.0-OpenSSH_9.2\r\n', 5, 'is not HTTP'),
    (b'HTTP/1.1 200 OK\r\n' + b'x: %s\r\n' % (b'y' * 1000) * 300, 1, '256 KiB of headers')],
    ids=['ssh', 'headers'])
def test_answers_that_are_none(signed_in, cli, answer, code, words):
    with socket.create_server(('127.0.0.1', 0)) as server:
        process = cli.start('api', DEVICES, '--app', f'http://127.0.0.1:{server.getsockname()[1]}')
        with server.accept()[0] as client:
            client.recv(65536)
            with contextlib.suppress(OSError):      # it need not read to the end
                client.sendall(answer)
                client.shutdown(socket.SHUT_WR)
            assert process.wait() == code, process.text()
    assert words in process.text()


def test_a_certificate_that_nobody_vouches_for(signed_in, cli, central):
    done = cli.run('api', DEVICES, '--app', central.tls_host)
    failed(done, 6, 'certificate', 'ca-bundle')
    assert central.requests() == []


def test_the_setting_ca_bundle(daemon, entra, keyring, cli, central):
    daemon.start(f'[iotc-token]\nca-bundle = {entra.ca_bundle}\n'
                 + entra_account(entra, apps=central.tls_host))
    daemon.sign_in(entra)
    assert json.loads(cli.ok('api', DEVICES))['value']


def test_somebody_has_to_sign_in(daemon, entra, keyring, cli, central):
    daemon.start(entra_account(entra))
    failed(api(cli, central, DEVICES), 3, 'iotc-token login work')
    assert central.requests() == []


def test_ctrl_c(signed_in, cli, central):
    central.fail(path=DEVICES, hang=True)
    with Terminal([cli.program, 'api', DEVICES, '--app', central.app],
                  cli.environment()) as terminal:
        central.wait(path=DEVICES)
        terminal.type(CTRL_C)
        assert terminal.wait() in (130, -signal.SIGINT)


def test_no_token_in_sight(signed_in, cli, central, entra):
    """Neither in the arguments nor in the environment of the program, nor in what it says."""
    central.fail(path=DEVICES, hang=True)
    process = cli.start('api', DEVICES, '--app', central.app)
    central.wait(path=DEVICES)
    with open(f'/proc/{process.pid}/cmdline', encoding='utf-8') as file:
        seen = file.read()
    assert '\0api\0' in seen and entra.leaks(seen + process.text()) == 0
    process.end()


def test_what_is_not_json(signed_in, cli, central):
    central.fail(path=DEVICES, status=200, body='\x00\x01caf\xe9', latin1=True)
    done = cli.start('api', DEVICES, '--app', central.app)
    assert done.wait() == 0
    with open(done.log, 'rb') as file:
        assert file.read() == b'\x00\x01caf\xe9'


def test_help_and_usage(cli):
    text = cli.ok('api', '--help')
    assert re.search(r'\n  -X, --method METHOD +', text)
    failed(cli.run('api'), 2, 'Usage: iotc-token api PATH')
    failed(cli.run('api', '/x', '-X', 'get it'), 2, 'method')
    failed(cli.run('api', '/x', '--paginate', '-X', 'PUT'), 2, 'GET alone')
