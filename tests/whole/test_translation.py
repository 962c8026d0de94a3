# SPDX-License-Identifier: MIT
#
# The command in other languages. One is made up: every text of the sources in «»; so whatever a
# person reads must come with these, and nothing that a program reads. German is looked at, too. A
# catalog is laid where it will be installed, for the command alone.

import json
import os
import re
import subprocess

import pytest

from util_daemon import Cli, entra_account
from util_terminal import Terminal

pytestmark = pytest.mark.plain

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
MADE_UP = 'eo'
# Mount a folder for this process, put the catalog there, and become the command.
LAY = '''mount -t tmpfs none "$1" && mkdir -p "$2/$3/LC_MESSAGES" &&
cp "$4" "$2/$3/LC_MESSAGES/iotc-token.mo" && shift 4 && exec "$@"'''


class ForeignCli(Cli):
    """The command with a catalog."""

    def __init__(self, home, language, catalog, locale):
        super().__init__(home)
        with open(os.path.join(home.build_dir, 'meson-info/intro-buildoptions.json'),
                  encoding='utf-8') as file:
            options = {option['name']: option['value'] for option in json.load(file)}
        folder = os.path.join(options['prefix'], options['localedir'])
        self.prefix = ['unshare', '--map-current-user', '--keep-caps', '--mount', 'sh', '-c', LAY,
                       'sh', os.path.dirname(folder), folder, language, catalog]
        self.variables = {**locale, 'LANGUAGE': language}

    def environment(self):
        return {**super().environment(), **self.variables}

    def argv(self, *arguments):
        # There is nothing on its PATH: doctor asks an az for its version, which takes seconds.
        return [*self.prefix, 'env', 'PATH=/nonexistent', self.program, *arguments]

    def run(self, *arguments, **_):
        return subprocess.run(self.argv(*arguments), env=self.environment(), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              check=False)


def tool(*argv, **named):
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=TOP, timeout=60,
                          **named).stdout


def keywords():
    with open(os.path.join(TOP, 'po', 'meson.build'), encoding='utf-8') as file:
        return ['-k', *re.findall(r"'(--[^']+)'", file.read())]


def listed():
    with open(os.path.join(TOP, 'po', 'POTFILES'), encoding='utf-8') as file:
        return {line.strip() for line in file if not line.startswith('#')}


@pytest.fixture(scope='session')
def locale(worker_folder):
    """What sets a locale that is not C, in which glibc 2.41 translates nothing."""
    if not os.path.exists('/usr/share/i18n/locales/de_DE'):
        pytest.skip('no locales can be made here (Debian: locales)')
    folder = os.path.join(worker_folder, 'locales')
    os.mkdir(folder)
    tool('localedef', '-i', 'de_DE', '-f', 'UTF-8', os.path.join(folder, 'de_DE.UTF-8'))
    return {'LOCPATH': folder, 'LC_ALL': 'de_DE.UTF-8'}


@pytest.fixture
def foreign(home, folder, plain_build, locale):
    """foreign('de'), or made up."""
    probe = subprocess.run(['unshare', '--map-current-user', '--keep-caps', '--mount', 'mount',
                            '-t', 'tmpfs', 'none', '/usr/local'], capture_output=True, text=True,
                           check=False)
    if probe.returncode:
        pytest.skip(f'no folder can be laid over another here: {probe.stderr.strip()}')

    def make(language):
        catalog = os.path.join(home.build_dir, 'po', language, 'LC_MESSAGES', 'iotc-token.mo')
        if language == MADE_UP:
            catalog = os.path.join(folder, 'made-up')
            english = tool('msgen', '-', input=tool('xgettext', *keywords(), '-o', '-',
                                                    *sorted(listed())))
            # CHARSET, or ASCII: so gettext 0.23 has it.
            tool('msgfmt', '-o', catalog, '-', input=tool(
                'msgfilter', '--keep-header', 'sed', 's/^/«/; s/$/»/',
                input=re.sub('charset=[A-Z]+', 'charset=UTF-8', english)))
        return ForeignCli(home, language, catalog, locale)

    return make


def test_all_help_is_translated(foreign, cli):
    foreign = foreign(MADE_UP)
    english, text = cli.ok('--help'), foreign.ok('--help')
    verbs = re.findall(r'^  ([a-z][a-z-]*)  ', english, re.M)
    inner = re.findall(r'^  ([a-z][a-z-]*)  ', cli.ok('api-token', '--help'), re.M)
    # The examples at the end are commands.
    for line in text.partition('«Examples:»')[0].splitlines():
        assert not line or re.search('«.*»$', line), line
    for verb in [(verb,) for verb in verbs] + [('api-token', verb) for verb in inner]:
        usage, _, text = foreign.ok(*verb, '--help').partition('\n\n')
        assert usage.startswith(f'«Usage: iotc-token {" ".join(verb)}') and usage.endswith('»')
        for line in text.partition('«Examples:»')[0].splitlines():
            assert not line or re.search(r'«.*»\.?$', line), (verb, line)
        assert re.sub('[«»]', '', text) == cli.ok(*verb, '--help').partition('\n\n')[2]


def test_what_people_read_and_what_programs_read(foreign, cli, daemon, entra, keyring):
    foreign = foreign(MADE_UP)
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    for results in (('list',), ('list', '--json'), ('get',), ('get', '--header'), ('status',),
                    ('default',)):
        mine, other = cli.run(*results), foreign.run(*results)
        assert '«' not in other.stdout and mine.returncode == other.returncode
        if results[0] != 'status':      # which counts calls
            assert mine.stdout == other.stdout
    assert 'iotc-tokend' in (text := foreign.run('doctor').stdout) and '«' not in text
    done = foreign.run('get', '--jsno')
    assert done.returncode == 2 and done.stdout == ''
    assert "«this version has no option '--jsno'; did you mean '--json'?»" in done.stderr
    assert "«Signed out of 'work'" in foreign.run('logout', 'work').stderr
    for arguments, texts in ((('list',), ['«  NAME»', '«VALID FOR»']),
                             (('status',), ['«Keyring»', '«Source»'])):
        with Terminal(foreign.argv(*arguments), foreign.environment()) as terminal:
            assert terminal.wait() == 0
            assert all(text in terminal.shown for text in texts), terminal.shown


def test_german(foreign, daemon):
    german = foreign('de')
    verbs = re.findall(r'^  ([a-z][a-z-]*)  ', german.ok('--help'), re.M)
    for verb in [(), *((verb,) for verb in verbs), ('api-token', 'create')]:
        text = german.ok(*verb, '--help')
        assert text.startswith(f'Aufruf: iotc-token {" ".join(verb)}')
        assert all(len(line) < 80 for line in text.splitlines()), text
    assert german.ok('--help').startswith('Aufruf: iotc-token VERB [ARGUMENT]...\n')
    done = german.run('lgin')
    assert done.returncode == 2
    assert 'diese Version hat keinen Befehl „lgin“; ist „login“ gemeint?' in done.stderr
    daemon.start('')
    assert 'Es gibt noch kein Konto; „iotc-token login“' in german.run('list').stderr
    with open('/dev/full', 'wb') as full:
        done = subprocess.run(german.argv('--version'), env=german.environment(), stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert 'die Standardausgabe kann nicht geschrieben werden: ' in done.stderr


def test_without_a_catalog_it_is_english(cli, home, locale):
    english = cli.ok('--help')
    home.extra.update(locale, LANGUAGE='de')
    assert cli.ok('--help') == english
