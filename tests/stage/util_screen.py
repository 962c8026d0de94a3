# SPDX-License-Identifier: MIT
#
# A display that nobody sees, and its picture: a test knows by its colours that there is something
# on it, and a person looks at it with IOTC_SCREENSHOTS=<an existing folder>.

import os
import shutil
import subprocess

from util_process import wait_until


class Screen:
    def __init__(self, folder):
        reader, writer = os.pipe()
        os.set_inheritable(writer, True)
        self.popen = subprocess.Popen(
            ['Xvfb', '-displayfd', str(writer), '-screen', '0', '800x600x24', '-nolisten', 'tcp'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as file:
            self.name = ':' + file.readline().strip()
        self.folder = folder

    def picture(self, name='screen.png'):
        """The number of colours on it: a window that shows text has many."""
        path = os.path.join(self.folder, name)
        done = subprocess.run(['import', '-display', self.name, '-window', 'root', path],
                              capture_output=True, check=False)
        if done.returncode != 0:
            return 0
        if os.environ.get('IOTC_SCREENSHOTS'):
            shutil.copy(path, os.environ['IOTC_SCREENSHOTS'])
        done = subprocess.run(['identify', '-format', '%k', path], capture_output=True, text=True,
                              check=True)
        return int(done.stdout)

    def click(self, name, left, above):
        """Into the first window of that class, so far from its right and its lower edge."""
        env = {'DISPLAY': self.name, 'PATH': '/usr/bin:/bin'}

        def windows():
            done = subprocess.run(['xdotool', 'search', '--onlyvisible', '--class', name],
                                  capture_output=True, text=True, env=env, check=False)
            return done.stdout.split()

        window = wait_until(windows, f'a window of {name}')[0]
        done = subprocess.run(['xdotool', 'getwindowgeometry', '--shell', window],
                              capture_output=True, text=True, env=env, check=True)
        x, y = (int(done.stdout.partition(f'\n{word}=')[2].split()[0]) - less
                for word, less in (('WIDTH', left), ('HEIGHT', above)))
        subprocess.run(['xdotool', 'mousemove', '--window', window, str(x), str(y), 'click', '1'],
                       env=env, check=True)

    def close(self):
        self.popen.terminate()
        self.popen.wait()
