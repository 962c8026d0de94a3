# SPDX-License-Identifier: MIT
#
# The examples in client/examples do what they show. Those in C are built as their first lines say,
# by a compiler that is told where the library is; the window is a real one, under Xvfb, and what is
# in it is read by what a screen reader would ask, and by its picture not being empty.

import os
import re
import subprocess
import sys

import pytest

from util_daemon import entra_account
from util_process import Process, wait_until

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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
    assert 'Somebody has to sign in.' in done.stderr and 'iotc-token login work' in done.stderr


def readme_block(language):
    with open(os.path.join(TOP, 'README.md'), encoding='utf-8') as file:
        return re.search(rf'```{language}\n(.*?)```', file.read(), re.S)[1]


def test_the_readme_in_c(work, build, home, folder):
    path = os.path.join(folder, 'readme.c')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(readme_block('c'))
    done = subprocess.run([build(path)], env=home.environment(), capture_output=True, text=True,
                          check=False, timeout=30)
    assert done.stdout == f'Authorization: Bearer {work.get_token()[0]}\n', done.stderr


def test_the_readme_in_python(work, home):
    done = subprocess.run([sys.executable, '-c', readme_block('python') + '\nprint(value)'],
                          env=home.environment(), capture_output=True, text=True, check=False,
                          timeout=30)
    assert done.stdout == f'Bearer {work.get_token()[0]}\n', done.stderr


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
