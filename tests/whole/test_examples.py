# SPDX-License-Identifier: MIT
#
# The examples in client/examples do what they show. Those in C are built as their first lines say,
# by a compiler that is told where the library is; the window is a real one, under Xvfb, and what is
# in it is read by what a screen reader would ask, and by its picture not being empty.

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from util_daemon import entra_account
from util_process import Process, wait_until

pytestmark = pytest.mark.plain

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
EXAMPLES = os.path.join(TOP, 'client', 'examples')
APP = 'contoso.azureiotcentral.com'


@pytest.fixture
def work(daemon, entra, keyring):
    daemon.start(entra_account(entra, apps=APP))
    daemon.sign_in(entra)
    return daemon


@pytest.fixture
def build(folder, build_dir, plain_build):
    """Build a file in C: the program."""
    def compile_(source, *packages):
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', *packages], check=True,
                               capture_output=True, text=True).stdout.split() if packages else []
        library = os.path.join(build_dir, 'client')
        program = os.path.join(folder, 'program')
        subprocess.run(
            ['cc', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-o', program,
             source, '-I', os.path.join(TOP, 'include'),
             f'-L{library}', '-liotc-token', f'-Wl,-rpath,{library}', *flags], check=True)
        return program

    return compile_


@pytest.mark.parametrize('name, packages', [('plain', []), ('glib', ['glib-2.0'])])
def test_in_c(work, build, home, name, packages):
    program = build(os.path.join(EXAMPLES, f'{name}.c'), *packages)
    done = subprocess.run([program, APP], env=home.environment(), capture_output=True, text=True,
                          check=False, timeout=30)
    assert done.stdout == f'Authorization: Bearer {work.get_token()[0]}\n', done.stderr
    done = subprocess.run([program, 'nobody'], env=home.environment(), capture_output=True,
                          text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, '') and 'nobody' in done.stderr


def test_in_python(work, home):
    def run(*arguments):
        return subprocess.run([sys.executable, os.path.join(EXAMPLES, 'header.py'), *arguments],
                              env=home.environment(), capture_output=True, text=True, check=False,
                              timeout=30)

    assert run(APP).stdout == f'Authorization: Bearer {work.get_token()[0]}\n'
    work.call('SignOut', path='/org/iotc/Token1/account/work', interface='org.iotc.Token1.Account')
    done = run()
    assert done.returncode == 1
    assert 'Somebody has to sign in.' in done.stderr and 'GDBus' not in done.stderr
    assert 'iotc-token login work' in done.stderr


def readme_blocks(language):
    with open(os.path.join(TOP, 'README.md'), encoding='utf-8') as file:
        return re.findall(rf'```{language}\n(.*?)```', file.read(), re.S)


def readme_block(language):
    return readme_blocks(language)[0]


def test_the_readme_in_c(work, build, home, folder):
    path = os.path.join(folder, 'readme.c')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(readme_block('c'))
    done = subprocess.run([build(path)], env=home.environment(), capture_output=True, text=True,
                          check=False, timeout=30)
    assert done.stdout == f'Authorization: Bearer {work.get_token()[0]}\n', done.stderr
    work.call('SignOut', path='/org/iotc/Token1/account/work', interface='org.iotc.Token1.Account')
    done = subprocess.run([build(path)], env=home.environment(), capture_output=True, text=True,
                          check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, '') and 'iotc-token login work' in done.stderr


def test_the_readme_in_python(work, home):
    done = subprocess.run([sys.executable, '-c', readme_block('python') + '\nprint(value)'],
                          env=home.environment(), capture_output=True, text=True, check=False,
                          timeout=30)
    assert done.stdout == f'Bearer {work.get_token()[0]}\n', done.stderr
    work.call('SignOut', path='/org/iotc/Token1/account/work', interface='org.iotc.Token1.Account')
    done = subprocess.run([sys.executable, '-c', readme_block('python')], env=home.environment(),
                          capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert 'GDBus' not in done.stderr and 'iotc-token login work' in done.stderr


def test_the_readme_in_bash(work, cli, central, home):
    """A script with the header in a variable ends as the command ended: with curl, or before."""
    script = next(block for block in readme_blocks('sh') if 'header=$(' in block)
    script = script.replace('https://contoso.azureiotcentral.com', central.app)
    env = {**home.environment(), 'PATH': f'{os.path.dirname(cli.program)}:/usr/bin:/bin'}

    def run():
        return subprocess.run(['bash', '-c', f'set -e\n{script}'], env=env, capture_output=True,
                              text=True, check=False, timeout=30)

    done = run()
    assert done.returncode == 0 and 'value' in json.loads(done.stdout), done.stderr
    work.call('SignOut', path='/org/iotc/Token1/account/work', interface='org.iotc.Token1.Account')
    central.clear()
    done = run()
    assert (done.returncode, done.stdout) == (3, '') and 'iotc-token login work' in done.stderr
    assert not central.requests()


def window(home, screen, folder, app):
    return Process([sys.executable, os.path.join(EXAMPLES, 'devices.py'), app],
                   {**home.environment(), 'DISPLAY': screen.name, 'GDK_BACKEND': 'x11',
                    'GSK_RENDERER': 'cairo', 'GTK_A11Y': 'none', 'NO_AT_BRIDGE': '1',
                    'PATH': '/usr/bin:/bin', 'GIO_USE_VFS': 'local'},
                   os.path.join(folder, 'window.log'))


def test_the_window(daemon, entra, keyring, central, home, screen, folder):
    daemon.start(entra_account(entra))
    daemon.sign_in(entra)
    process = window(home, screen, folder, central.app)
    try:
        central.wait(path='/api/devices', status=200)
        wait_until(lambda: screen.picture() > 100, 'the window to be shown')
        assert process.alive, process.text()
    finally:
        process.end()


def test_the_window_signs_in(daemon, entra, keyring, central, home, screen, folder):
    """By its button; that the account is ready comes by a signal, and the devices are loaded."""
    if not shutil.which('xdotool'):
        pytest.skip('there is no xdotool to press the button')
    daemon.start(entra_account(entra, sign_in='browser'))
    pages = os.path.join(folder, 'pages')
    applications = os.path.join(home.folder, '.local/share/applications')
    os.makedirs(applications)
    with open(os.path.join(applications, 'browser.desktop'), 'w', encoding='utf-8') as file:
        file.write('[Desktop Entry]\nType=Application\nName=Browser\n'
                   'MimeType=x-scheme-handler/http;\n'
                   f'Exec=sh -c "echo %u >> {pages}"\n')
    with open(os.path.join(applications, 'mimeapps.list'), 'w', encoding='utf-8') as file:
        file.write('[Default Applications]\nx-scheme-handler/http=browser.desktop\n')
    home.env['XDG_DATA_HOME'] = os.path.dirname(applications)
    process = window(home, screen, folder, central.app)

    def pressed():
        subprocess.run(['xdotool', 'search', '--name', 'Devices of', 'windowfocus', 'key', 'space'],
                       env={'DISPLAY': screen.name}, capture_output=True, check=False)
        return os.path.exists(pages) and open(pages, encoding='utf-8').read().endswith('\n')

    try:
        wait_until(pressed, 'the browser to be opened')
        screen.picture('signing-in.png')
        with open(pages, encoding='utf-8') as file:
            entra.browse(file.readline().strip())
        central.wait(path='/api/devices', status=200)
        wait_until(lambda: screen.picture('devices.png') > 100, 'the window to be shown')
        assert process.alive, process.text()
    finally:
        process.end()
