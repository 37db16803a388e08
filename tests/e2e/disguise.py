# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that a machine has or has not, for one command: others stand in their place, in a mount
namespace of that command alone."""

import itertools
import os

_serial = itertools.count()


class Disguise:
    """`folder` (a pytest tmp_path) holds what is put in place of the real thing."""

    def __init__(self, folder):
        self.folder = folder
        self.binds = []

    def put(self, path, text):
        """A file of that text, whether there is one or not. What is beside it stays as it is."""
        top = os.path.dirname(path)
        while not os.path.isdir(top):
            top = os.path.dirname(top)
        number = next(_serial)
        real, fake = self.folder / f"real{number}", self.folder / f"fake{number}"
        real.mkdir()
        fake.mkdir()
        beside = os.path.relpath(path, top).split("/")[0]
        for name in os.listdir(top):
            if name != beside:
                (fake / name).symlink_to(real / name)
        file = fake / os.path.relpath(path, top)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.binds += [(top, real), (fake, top)]

    def hide(self, path):
        """The folder is empty."""
        empty = self.folder / f"empty{next(_serial)}"
        empty.mkdir()
        self.binds.append((empty, path))

    def command(self, *command):
        script = "".join(f'mount --rbind "{what}" "{where}"; ' for what, where in self.binds)
        return ["unshare", "--mount", "sh", "-ec", script + 'exec "$@"', "sh", *command]
