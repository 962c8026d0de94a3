# SPDX-License-Identifier: MIT
#
# iotc-token without a daemon: its help, what it says to wrong usage, how it takes an output that
# can't be written, and what it advises when there is nobody to ask.

import os
import re
import shlex
import signal
import subprocess

import pytest

from util_bus import Bus
from util_terminal import Terminal

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
VERBS = ('login', 'app', 'api-token', 'api', 'check', 'get', 'list', 'status', 'watch', 'refresh',
         'logout', 'remove', 'default', 'unlock', 'doctor', 'exec')


def wrong(done, usage):
    """It was wrong usage, said with the usage line, and nothing went to standard output."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ''
    assert f'Usage: iotc-token {usage}' in done.stderr
    return done.stderr.splitlines()[0]


def test_help_names_every_verb(cli):
    text = cli.ok('--help')
    for verb in VERBS:
        assert f'\n  {verb} ' in text
    assert cli.ok('-h') == text


@pytest.mark.parametrize('verb', [
    *((verb,) for verb in VERBS),
    ('app', 'add'), ('app', 'remove'),
    *(('api-token', verb) for verb in ('add', 'create', 'list', 'show', 'revoke', 'rotate'))])
def test_every_verb_has_help(cli, verb):
    text = cli.ok(*verb, '--help')
    assert text.startswith(f'Usage: iotc-token {" ".join(verb)}')
    assert all(len(line) < 80 for line in text.splitlines()), text


def test_help_as_a_verb(cli):
    assert cli.ok('help') == cli.ok('--help')
    for verb in (('get',), ('check',), ('exec',), ('api-token', 'create')):
        assert cli.ok('help', *verb) == cli.ok(*verb, '--help')
    assert "did you mean 'get'" in wrong(cli.run('help', 'gett'), 'VERB')


def test_an_option_before_the_verb(cli):
    assert 'options come after' in wrong(cli.run('--json', 'list'), 'VERB')


def test_help_of_a_verb_shows_its_options(cli):
    text = cli.ok('get', '--help')
    for option in ('--header', '--json', '--resource URI', '--min-valid S', '--force',
                   '--no-wait', '--help'):
        assert f'\n  {option} ' in text


def test_the_manual_has_every_option(cli):
    """The synopsis as the usage line, and a word about each option where its verb is described."""
    with open(os.path.join(TOP, 'client/man/iotc-token.1'), encoding='utf-8') as file:
        synopsis, described = re.findall(r'^\.Sh (?:SYNOPSIS|DESCRIPTION)$(.*?)(?=^\.Sh )',
                                         file.read(), re.M | re.S)
    described = re.split(r'^\.It Cm ([a-z -]+)$', described, flags=re.M)[1:]
    described = dict(zip(described[::2], described[1::2]))
    described |= {verb: ''.join(text for name, text in described.items()
                                if name.startswith('api-token '))
                  for verb in described if verb.startswith('api-token ')}

    def flags(text):
        return set(re.findall(r'\bFl (-?[A-Za-z][a-z-]*)', text))

    for verb in described:
        text = cli.ok(*verb.split(), '--help')
        usage = ' '.join(text.partition('\n\n')[0].split()).partition(f'token {verb}')[2]
        shown = re.search(rf'^\.Cm {verb}$(.*?)(?=^\.Nm$|\Z)', synopsis, re.M | re.S)[1]
        assert flags(shown) == set(re.findall(r'[ [|]-(-?[A-Za-z][a-z-]*)', usage)), verb
        options = re.findall(r'^  (?:-(\w), )?-(-[a-z-]+)', text, re.M)
        options = {option for pair in options for option in pair if option}
        assert options - flags(described[verb]) <= {'-help', '-json'}, verb


VERBS_OF_TOKENS = ('add', 'create', 'list', 'show', 'revoke', 'rotate')


@pytest.mark.parametrize('verb', [(), *((verb,) for verb in VERBS),
                                  *(('api-token', verb) for verb in VERBS_OF_TOKENS)])
def test_a_help_ends_with_two_examples(cli, verb):
    examples = cli.ok(*verb, '--help').partition('\nExamples:\n')[2].replace('\\\n', '')
    assert examples.count('\n') == 2, examples
    commands = re.findall(r'iotc-token ([^|<>)&\n]*)', examples)
    assert not verb or sum(command.startswith(verb[0]) for command in commands) >= 2
    for command in commands:
        # There is nobody to ask; but it is no wrong usage.
        done = cli.run(*shlex.split(command))
        assert done.returncode not in (0, 2, 127), done.stderr


def test_version(cli):
    assert cli.ok('--version').startswith('iotc-token 0.')
    assert cli.ok('-V') == cli.ok('--version')


def test_no_verb_shows_the_verbs_on_standard_error(cli):
    assert '\n  login ' in cli.run().stderr
    wrong(cli.run(), 'VERB')


@pytest.mark.parametrize('typed, meant', [
    ('logn', 'login'), ('stauts', 'status'), ('lst', 'list'), ('gett', 'get')])
def test_an_unknown_verb_gets_a_suggestion(cli, typed, meant):
    assert f"did you mean '{meant}'" in wrong(cli.run(typed), 'VERB')


@pytest.mark.parametrize('arguments, meant', [
    (('get', '--josn'), '--json'), (('login', '--clientid=x'), '--client-id'),
    (('api', '/', '--paginat'), '--paginate'), (('get', '--x'), None), (('get', '-j'), None)])
def test_an_unknown_option_gets_a_suggestion(cli, arguments, meant):
    first = wrong(cli.run(*arguments), arguments[0])
    assert 'has no option' in first and first.partition('did you mean ')[2] == \
        (f"'{meant}'?" if meant else '')


def test_a_verb_like_no_other(cli):
    assert 'did you mean' not in wrong(cli.run('frobnicate'), 'VERB')
    wrong(cli.run('api-token', 'frobnicate'), 'api-token')


@pytest.mark.parametrize('arguments, usage', [
    (('get', '--jsno'), 'get'),
    (('get', '--header', '--json'), 'get'),
    (('get', '--min-valid', 'soon'), 'get'),
    (('get', '--min-valid'), 'get'),
    (('get', 'one', 'two'), 'get'),
    (('logout',), 'logout'),
    (('remove',), 'remove'),
    (('remove', 'contoso.azureiotcentral.com'), 'remove'),
    (('login', 'contoso.azureiotcentral.com'), 'login'),
    (('login', '--azure-cli', '--client-id', 'x'), 'login'),
    (('list', 'something'), 'list'),
    (('api-token',), 'api-token'),
    (('api-token', 'add'), 'api-token add'),
])
def test_wrong_usage(cli, arguments, usage):
    wrong(cli.run(*arguments), usage)


@pytest.mark.parametrize('arguments, hint', [
    (('login', 'contoso.azureiotcentral.com'), 'login --app contoso.azureiotcentral.com'),
    (('login', 'https://x.example/'), 'login --app https://x.example/'),
    (('api-token', 'add', 'x.example'), 'api-token add NAME --app x.example')])
def test_an_application_in_the_place_of_a_name(cli, arguments, hint):
    assert f'iotc-token {hint}' in wrong(cli.run(*arguments), arguments[0])


def test_an_error_can_not_move_the_cursor(cli):
    done = cli.run('get', '--\033[2J')
    assert '\033' not in done.stderr and '?[2J' in done.stderr


@pytest.mark.parametrize('arguments', [
    ('get',), ('get', '--json'), ('list',), ('status',), ('watch',), ('login',), ('unlock',)])
def test_no_daemon(cli, arguments):
    done = cli.run(*arguments)
    assert (done.returncode, done.stdout) == (5, '')
    assert 'iotc-tokend is not running' in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize('arguments', [('get',), ('list',)])
def test_a_session_bus_that_is_gone(cli, home, arguments):
    home.env['DBUS_SESSION_BUS_ADDRESS'] = f'unix:path={home.folder}/nobody-here'
    done = cli.run(*arguments)
    assert done.returncode == 1
    assert 'nobody answers at DBUS_SESSION_BUS_ADDRESS' in done.stderr
    assert "'unset DBUS_SESSION_BUS_ADDRESS'" in done.stderr


# What a bus says of a service that it can't start: how its program is, and the words.
PROGRAMS = {
    'ends': ('#!/bin/false\n', 0o755, 'ended as soon as'),
    'crashes': ('#!/bin/sh\nkill -SEGV $$\n', 0o755, 'crashed as soon as'),
    'no program': (None, 0, "can't run iotc-tokend"),
    'not executable': ('', 0o644, "can't run iotc-tokend"),
}


@pytest.mark.parametrize('what', PROGRAMS)
def test_a_daemon_that_can_not_be_started(cli, home, folder, what):
    text, mode, words = PROGRAMS[what]
    services = os.path.join(folder, 'services')
    os.makedirs(services, exist_ok=True)
    program = os.path.join(folder, 'iotc-tokend')
    if text is not None:
        with open(program, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(program, mode)
    with open(os.path.join(services, 'daemon.service'), 'w', encoding='utf-8') as file:
        file.write(f'[D-BUS Service]\nName=org.iotc.Token1\nExec={program}\n')
    bus = Bus(services, services)
    try:
        home.env['DBUS_SESSION_BUS_ADDRESS'] = bus.address
        for verb in ('get', 'list'):
            done = cli.run(verb)
            assert (done.returncode, done.stdout) == (5, ''), done.stderr
            assert words in done.stderr and len(done.stderr.splitlines()) == 1
    finally:
        bus.close()


@pytest.mark.parametrize('program, arguments', [
    ('client/iotc-token', ['--version']), ('client/iotc-token', ['api', '--help']),
    ('client/iotc-token', ['exec', '--help']), ('daemon/iotc-tokend', ['--help']),
    ('daemon/iotc-tokend', ['--version'])])
def test_a_full_disk_is_a_failure(cli, home, program, arguments):
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([os.path.join(home.build_dir, program), *arguments],
                              env=cli.environment(), stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False)
    assert done.returncode == 1
    assert 'No space left on device' in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_closed_output_is_a_failure(cli):
    done = subprocess.run([cli.program, '--version'], env=cli.environment(),
                          stderr=subprocess.PIPE, text=True, check=False,
                          preexec_fn=lambda: os.close(1))
    assert done.returncode == 1
    assert 'standard output' in done.stderr


@pytest.mark.parametrize('arguments', [['--version'], ['--help'], ['api', '--help']])
@pytest.mark.parametrize('ignored', [False, True])      # as systemd's services have it
def test_a_reader_who_went_away_is_not_news(cli, arguments, ignored):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([cli.program, *arguments], env=cli.environment(), stdout=writer,
                          stderr=subprocess.PIPE, text=True, check=False,
                          restore_signals=not ignored)
    os.close(writer)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, '')


def test_on_a_terminal_too(cli):
    with Terminal([cli.program, '--help'], cli.environment()) as terminal:
        assert terminal.wait() == 0
        assert '\n  login ' in terminal.shown
