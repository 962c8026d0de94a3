# SPDX-License-Identifier: MIT
#
# iotc-token api as people know it from gh: fields that become a body or a query, jq's filters, a
# file as the body, nothing printed, colour.

import json
import os
import subprocess

import pytest

from util_daemon import entra_account
from util_terminal import Terminal

DEVICES = '/api/devices'


@pytest.fixture
def api(daemon, entra, keyring, central, cli, home):
    """api('devices', ...): the command, signed in, with the application in IOTC_TOKEN_APP."""
    daemon.start(entra_account(entra, apps=central.tls_host))
    daemon.sign_in(entra)
    home.extra['IOTC_TOKEN_APP'] = central.app

    def run(*arguments, **named):
        return cli.run('api', *arguments, **named)

    return run


def answer(central, value, path=DEVICES, count=1, **more):
    central.fail(path=path, status=200, count=count,
                 body=value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
                 **more)


def wrong(done, *words):
    assert (done.returncode, done.stdout) == (2, ''), done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert 'Usage: iotc-token api PATH' in done.stderr


@pytest.mark.parametrize('arguments, body', [
    (['-f', 'a=1', '-F', 'b=1', '-F', 'c=-7', '-F', 'd=+5', '-F', 'e=1.5'],
     {'a': '1', 'b': 1, 'c': -7, 'd': 5, 'e': '1.5'}),
    (['-F', 'a=true', '-F', 'b=false', '-F', 'c=null', '-F', 'd=', '-f', 'e=true'],
     {'a': True, 'b': False, 'c': None, 'd': '', 'e': 'true'}),
    (['-F', 'n=9223372036854775807', '-F', 'm=9223372036854775808', '-F', 'x=-'],
     {'n': 9223372036854775807, 'm': '9223372036854775808', 'x': '-'}),
    (['-f', 'a=b=c', '-f', 'x=Küche "1"\n', '--raw-field', 'y=@file', '--field=z=0'],
     {'a': 'b=c', 'x': 'Küche "1"\n', 'y': '@file', 'z': 0}),
    (['-f', 'a[b]=1', '-F', 'a[c][d]=2', '-f', 'e[]=x', '-F', 'e[]=3', '-f', 'e[]=y'],
     {'a': {'b': '1', 'c': {'d': 2}}, 'e': ['x', 3, 'y']}),
    (['-f', 'a[][n]=x', '-F', 'a[][v]=1', '-f', 'a[][n]=y', '-F', 'a[][v]=2', '-F', 'b[]'],
     {'a': [{'n': 'x', 'v': 1}, {'n': 'y', 'v': 2}], 'b': []}),
    (['-f', 'a[][t][]=1', '-f', 'a[][t][]=2', '-f', 'a[][o][p]=3', '-f', 'c[d][]=4'],
     {'a': [{'t': ['1', '2'], 'o': {'p': '3'}}], 'c': {'d': ['4']}}),
    (['-f', 'displayName=Pump 1', '-f', '$schema=x'], {'displayName': 'Pump 1', '$schema': 'x'}),
], ids=lambda it: ' '.join(it)[:40] if isinstance(it, list) else '')
def test_fields_are_a_body(api, central, arguments, body):
    answer(central, '{}', path=f'{DEVICES}/x')
    done = api('devices/x', *arguments)
    assert (done.returncode, done.stderr) == (0, '')
    [asked] = central.requests()
    assert (asked['method'], asked['content_type']) == ('POST', 'application/json')
    assert json.loads(asked['body']) == body


@pytest.mark.parametrize('arguments', [
    ['-f', 'a'], ['-f', '=1'], ['-f', 'a[b=1'], ['-f', 'a]b=1'], ['-f', '[a]=1'], ['-f', 'a[b]'],
    ['-f', 'a[]b=1'], ['-f', 'a[][]=1'], ['-f', 'a=1', '-f', 'a=2'], ['-f', 'a=1', '-f', 'a[b]=2'],
    ['-f', 'a[]=1', '-f', 'a[b]=2'], ['-f', 'a[b]=1', '-f', 'a[]=2'], ['-f', ''],
    ['-F', 'a=@-', '-F', 'b=@-'], ['-d', '-', '-F', 'b=@-'], ['--input', '-', '-F', 'b=@-'],
    ['-d', '{}', '--input', '-'], ['--silent', '-q', '.'], ['-f', 'a=1', '--paginate'],
    ['--paginate', '--input', '-'], ['-X', 'get it'], ['-X', ''], ['-X', 'A' * 17]],
    ids=' '.join)
def test_wrong_fields_and_options(cli, arguments):
    """Known before anybody is asked: there is no daemon here."""
    wrong(cli.run('api', 'devices', *arguments, stdin='x'))


def test_fields_of_files(api, central, home):
    file = os.path.join(home.folder, 'name')
    with open(file, 'w', encoding='utf-8') as f:
        f.write('true\nKüche')
    answer(central, '{}', path=f'{DEVICES}/x')
    assert api('devices/x', '-F', f'a=@{file}', '-F', 'b=@-', stdin='7').returncode == 0
    assert json.loads(central.requests()[0]['body']) == {'a': 'true\nKüche', 'b': '7'}
    done = api('devices/x', '-F', f'a=@{file}x')
    assert done.returncode == 1 and f"can't read {file}x" in done.stderr
    with open(file, 'wb') as f:
        f.write(b'caf\xe9')
    done = api('devices/x', '-F', f'a=@{file}')
    assert done.returncode == 1 and 'UTF-8' in done.stderr
    assert len(central.requests()) == 1


def test_fields_of_a_query(api, central):
    api('devices', '-X', 'get', '-f', 'filter=displayName eq "Küche&1"', '-F', '$top=2', '-F',
        'a=null', '-f', 'b[c][]=1', '-F', 'd[]')
    api('devices?x=1', '-X', 'HEAD', '-f', 'y=2', '-f', 'api-version=1.0')
    assert [one['query'] for one in central.requests()] == [
        'filter=displayName%20eq%20%22K%C3%BCche%261%22&$top=2&a=&b%5Bc%5D%5B%5D=1'
        '&api-version=2022-07-31', 'x=1&y=2&api-version=1.0']
    assert [one['body'] for one in central.requests()] == ['', '']
    wrong(api('devices', '-X', 'GET', '-f', 'api-version=1', '--api-version', '2'),
          'api-version already')
    central.set(devices=5, page_size=2)
    done = api('devices', '--paginate', '-X', 'GET', '-F', 'maxpagesize=2')
    assert len(json.loads(done.stdout)['value']) == 5


def test_a_file_as_the_body(api, central, home):
    file = os.path.join(home.folder, 'body')
    with open(file, 'w', encoding='utf-8') as f:
        f.write('{"a": 1}\n')
    api('devices/x', '--input', file, '-f', 'x=a b')
    api('devices/x', '-X', 'patch', '--input', '-', stdin='{}')
    api('devices/x', '-X', 'put', '-f', 'a=1')
    asked = central.requests()
    assert [one['method'] for one in asked] == ['POST', 'PATCH', 'PUT']
    assert [one['body'] for one in asked] == ['{"a": 1}\n', '{}', '{"a":"1"}']
    assert asked[0]['query'].startswith('x=a%20b&') and asked[1]['content_type'] == (
        'application/merge-patch+json')


@pytest.mark.parametrize('filtered, printed', [
    ('.value[].id', 'a\nKüche\n'), ('.value[1]', '{"id":"Küche","n":[1,null]}\n'),
    ('.value | length', '2\n'), ('empty', ''), ('.value[].id | @base64', 'YQ==\nS8O8Y2hl\n'),
    ('"a\\tb\\u0001"', 'a\tb\x01\n'), ('.nothing', 'null\n'),
    ('[.value[] | select(.n)] | .[0].n[0]', '1\n'),
    ('.value | map(.id) | join(",")', 'a,Küche\n'), ('"", {}', '\n{}\n')])
def test_a_filter(api, central, filtered, printed):
    answer(central, {'value': [{'id': 'a'}, {'id': 'Küche', 'n': [1, None]}]}, count=2)
    for option in (['-q', filtered], [f'--jq={filtered}']):
        done = api('devices', *option)
        assert (done.returncode, done.stdout, done.stderr) == (0, printed, '')


def test_a_filter_as_jq_itself_has_it(api, central):
    value = {'value': [{'id': f'd{i}', 'x': {'y': i / 3}} for i in range(50)]}
    answer(central, value)
    mine = api('devices', '-q', '.value[] | .id, .x').stdout
    try:
        jq = subprocess.run(['jq', '-rc', '.value[] | .id, .x'], input=json.dumps(value), text=True,
                            capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip('no jq here')
    assert mine == jq.stdout


def test_a_filter_of_all_pages(api, central):
    central.set(devices=60, page_size=25)
    done = api('devices', '--paginate', '-q', '.value | length, .[59].id')
    assert (done.returncode, done.stdout) == (0, '60\ndevice-59\n')
    central.set(devices=60, page_size=25, next_link='https://thief.example/')
    done = api('devices', '--paginate', '-q', '.value[].id')
    assert (done.returncode, done.stdout) == (1, '') and 'not followed' in done.stderr


def test_filters_that_fail(api, central):
    # Not '"' alone: libjq 1.6 loses the piece of a string that has no end.
    for bad in ('.[', '.value[] |', 'nonsense(1)', 'import "a" as a; .'):
        wrong(api('devices', '-X', 'POST', '-q', bad), 'the filter of --jq is wrong: ')
    assert central.requests() == []
    answer(central, {'value': [1]}, count=5)
    for bad, text in (('.value[].id', '--jq: Cannot index number'), ('error("so")', '--jq: so'),
                      ('error({a:1})', '--jq: {"a":1}'), ('1, error("so")', '--jq: so')):
        done = api('devices', '-q', bad)
        assert done.returncode == 1 and text in done.stderr and len(done.stderr.splitlines()) == 1
    assert done.stdout == '1\n'
    assert api('devices', '-q', 'halt').returncode == 0
    answer(central, '<html>')
    done = api('devices', '-q', '.')
    assert (done.returncode, done.stdout) == (1, '') and 'no JSON' in done.stderr
    assert api('devices/pump', '-X', 'delete', '-q', '.').returncode == 0      # 204


def test_a_failure_is_not_filtered(api, central):
    central.fail(path=DEVICES, status=404, code='NotFound', message='Gone.')
    done = api('devices', '-q', '.value[].id')
    assert done.returncode == 1 and 'Gone' in done.stderr
    assert json.loads(done.stdout)['error']['code'] == 'NotFound'


def test_silent(api, central):
    central.set(devices=60, page_size=25)
    for arguments in ((), ('--paginate',)):
        done = api('devices', '--silent', *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    assert len(central.requests()) == 4
    assert api('devices', '--silent', '-i').stdout.startswith('HTTP/1.1 200')
    central.fail(path=DEVICES, status=404, code='NotFound', message='Gone.', count=2)
    for arguments in ((), ('--paginate',)):
        done = api('devices', '--silent', *arguments)
        assert (done.returncode, done.stdout) == (1, '') and 'Gone' in done.stderr


BLUE, GREEN, PLAIN = '\x1b[34;1m', '\x1b[32m', '\x1b[0m'


def on_a_terminal(cli, *arguments):
    with Terminal([cli.program, 'api', *arguments], cli.environment()) as terminal:
        assert terminal.wait() == 0
    return terminal.shown


@pytest.mark.parametrize('arguments', [[], ['-q', '.'], ['--paginate']])
def test_colour_on_a_terminal(api, cli, central, home, arguments):
    answer(central, {'value': [{'id': 'a:"b', 'n': [1, True, None, 'x']}, 'y']}, count=3)
    text = '''{
  "value": [
    {
      "id": "a:\\\\"b",
      "n": [
        1,
        true,
        null,
        "x"
      ]
    },
    "y"
  ]
}
'''
    home.extra['TERM'] = 'xterm'
    coloured = text
    for name in ('value', 'id', 'n'):
        coloured = coloured.replace(f'"{name}":', f'{BLUE}"{name}"{PLAIN}:')
    for value in ('"a:\\\\"b"', '"x"', '"y"'):
        coloured = coloured.replace(value, f'{GREEN}{value}{PLAIN}')
    text, coloured = (shown.replace('\\\\', '\\') for shown in (text, coloured))
    assert on_a_terminal(cli, 'devices', *arguments) == coloured
    home.extra['NO_COLOR'] = '1'
    assert on_a_terminal(cli, 'devices', *arguments) == text
    del home.extra['NO_COLOR']
    assert '\x1b' not in api('devices', *arguments).stdout


def test_a_text_on_a_terminal_is_harmless(api, cli, central):
    answer(central, {'id': 'a\tb\x1b[2J\u202e'})
    assert on_a_terminal(cli, 'devices', '-q', '.id') == 'a\tb?[2J?\n'
