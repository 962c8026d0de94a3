# SPDX-License-Identifier: MIT
#
# The Debian packages in the life of a machine: installed, upgraded, removed, purged, by the real
# dpkg with its maintainer scripts. It works on a view of this system that is thrown away: an
# overlay with a folder in memory on top. systemctl in there writes down what a running
# systemd would be told.

import os
import subprocess

import pytest

from test_debian import deb, output
from util_process import Process, wait_until

pytestmark = pytest.mark.plain

LINK = '/etc/systemd/user/default.target.wants/iotc-tokend.service'
VIEW = '''set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" none "$1/root"
for name in dev proc; do mount --rbind "/$name" "$1/root/$name"; done
mount -t tmpfs none "$1/root/run"
mkdir -p "$1/root/run/systemd/system" "$1/root/packages"
: >"$1/ready"
exec sleep infinity
'''
SYSTEMCTL = '''#!/bin/sh
case "$*" in
--root=*) exec systemctl-real "$@" ;;       # on files alone
esac
echo "$*" >>/systemctl.log
case "$*" in
--version*) echo "systemd 252 (252)" ;;
*list-units*) echo "user@1000.service loaded active running" ;;
*is-enabled*) echo enabled ;;
esac
'''


class View:
    """This system as programs of the test see it, and what they have changed."""

    def __init__(self, folder):
        self.top = os.path.join(folder, 'view')
        os.mkdir(self.top)
        self.process = Process(['unshare', '--mount', 'sh', '-c', VIEW, 'sh', self.top],
                               os.environ, os.path.join(folder, 'view.log'))
        wait_until(lambda: self.there('ready') or not self.process.alive, 'the view')

    def there(self, path):
        return self.process.alive and \
            os.path.lexists(f'/proc/{self.process.pid}/root{self.top}/{path.lstrip("/")}')

    def ok(self, *argv, **named):
        """Run a program inside: its output."""
        return output('nsenter', f'--mount=/proc/{self.process.pid}/ns/mnt', 'chroot',
                      os.path.join(self.top, 'root'), *argv, **named)

    def exists(self, path):
        return self.there('root' + path)

    def told(self):
        """What systemctl was told since the last time, without questions."""
        lines = self.ok('sh', '-c', 'cat /systemctl.log; : >/systemctl.log').splitlines()
        return [line for line in lines if not any(
            word in line for word in ('--version', 'list-units', 'is-enabled', 'is-active'))]

    def install(self, *files):
        for file in files:
            with open(file, 'rb') as source:
                self.ok('dd', f'of=/packages/{os.path.basename(file)}', stdin=source)
        # What its dependencies are is not the question here.
        self.ok('dpkg', '--force-depends', '--no-triggers', '-i',
                *(f'/packages/{os.path.basename(file)}' for file in files))


@pytest.fixture
def view(folder):
    view = View(folder)
    try:
        if not view.process.alive:
            pytest.skip(f'no overlay of the system can be made here: {view.process.text()}')
        if view.ok('dpkg-query', '-W', '-f', '${Package} ${Status}\n').find('iotc-token ') >= 0:
            pytest.skip('iotc-token is installed here')
        view.ok('rm', '-f', '/usr/sbin/policy-rc.d')
        view.ok('sh', '-c', 'mv /usr/bin/systemctl /usr/bin/systemctl-real && '
                'cat >/usr/bin/systemctl && chmod 755 /usr/bin/systemctl', input=SYSTEMCTL)
        yield view
    finally:
        view.process.end()


def later(file, folder):
    """The same package with a higher version."""
    path = os.path.join(folder, 'later')
    output('dpkg-deb', '-R', file, path)
    output('sed', '-i', 's/^Version: .*/&+1/', os.path.join(path, 'DEBIAN/control'))
    output('dpkg-deb', '--root-owner-group', '-Znone', '-b', path, path + '.deb')
    return path + '.deb'


def test_from_installed_to_purged(view, folder):
    first = deb('iotc-token')
    view.install(deb('libiotc-token0'), first)
    assert view.exists(LINK) and view.told() == []
    assert view.ok('iotc-token', '--version').startswith('iotc-token ')

    second = later(first, folder)
    view.install(second)
    told = view.told()
    assert told[0].endswith('--signal=HUP user@*.service'), told
    assert told[1:] == ['--quiet --user --machine 1000@ restart iotc-tokend.service']

    # Switched off by the administrator, it stays so.
    view.ok('rm', LINK)
    view.install(second)
    assert not view.exists(LINK)
    view.ok('systemctl', '--root=/', '--global', 'enable', 'iotc-tokend.service')
    view.told()

    files = [path for path in view.ok('dpkg', '-L', 'iotc-token').split()
             if 'iotc' in os.path.basename(path)]
    view.ok('dpkg', '--no-triggers', '--remove', 'iotc-token')
    assert view.told() == ['--quiet --user --machine 1000@ stop iotc-tokend.socket '
                           'iotc-tokend.service iotc-token-open.service']
    # What an administrator chose is kept until the purge, as of other packages.
    assert not view.exists('/usr/bin/iotc-tokend') and view.exists(LINK)
    view.ok('dpkg', '--no-triggers', '--purge', 'iotc-token')
    assert not view.exists(LINK) and not view.exists('/etc/xdg/autostart/iotc-tokend.desktop')
    assert len(files) > 20 and not [path for path in files if view.exists(path)]
    left = view.ok('find', '/etc', '/var/lib/systemd', '-name', 'iotc-token*')
    assert left == ''
