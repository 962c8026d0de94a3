# SPDX-License-Identifier: MIT
#
# A display that nobody sees, and its picture: a test knows by its colours that there is something
# on it, and a person looks at it with IOTC_SCREENSHOTS=<an existing folder>.

import os
import shutil
import subprocess


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

    def close(self):
        self.popen.terminate()
        self.popen.wait()
