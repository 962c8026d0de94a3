# SPDX-License-Identifier: MIT
#
# Which variables of the session reach the fetcher, az and a program of the user's.

import os

UNSAFE = {'SSLKEYLOGFILE': '{}/keys', 'OPENSSL_CONF': '{}/openssl.cnf', 'BASH_ENV': '{}/rc',
          'LD_BIND_NOW': '1', 'MALLOC_ARENA_MAX': '1', 'PYTHONSTARTUP': '{}/rc',
          'NODE_OPTIONS': '--no-warnings', 'GNUTLS_DEBUG_LEVEL': '0'}


def unsafe(home):
    return {name: value.format(home.folder) for name, value in UNSAFE.items()}


def test_no_keys_are_written_down(fetcher, entra, home):
    home.extra = unsafe(home)
    token = entra.sign_in()['refresh_token']
    event = fetcher.refresh(entra, token, authority='https://login.microsoftonline.com',
                            proxy=entra.proxy, ca_bundle=entra.ca_bundle).last()
    assert event['event'] == 'token', event.get('message')
    assert not os.path.exists(os.path.join(home.folder, 'keys'))


def names(path):
    with open(path, encoding='utf-8') as file:
        return {line.split('=', 1)[0] for line in file}


def test_what_a_program_gets(daemon, keyring, home):
    folder = os.path.join(home.folder, 'own')
    os.mkdir(folder, 0o755)
    path = os.path.join(folder, 'source')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\n/usr/bin/env >{folder}/seen\n'
                   'echo \'{"event":"token","access_token":"t","expires_in":60}\'\n')
    os.chmod(path, 0o755)
    daemon.start(f'[account corp]\nsource=command\ncommand={path}\n', MY_OWN='1', **unsafe(home))
    assert daemon.get_token('corp')[0] == 't'
    seen = names(os.path.join(folder, 'seen'))
    assert 'MY_OWN' in seen and 'HOME' in seen and not seen & set(UNSAFE)


def test_what_az_gets(fetcher, home):
    path = os.path.join(home.folder, 'az')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'#!/bin/sh\n/usr/bin/env >{home.folder}/seen\nexit 1\n')
    os.chmod(path, 0o755)
    home.extra = {'MY_OWN': '1', **unsafe(home)}
    fetcher.start({'source': 'azure-cli', 'resource': 'https://r.example', 'az': path,
                   'deadline': 20}).error()
    seen = names(os.path.join(home.folder, 'seen'))
    assert 'MY_OWN' in seen and 'AZURE_CORE_ONLY_SHOW_ERRORS' in seen and not seen & set(UNSAFE)
