"""The rig's side of shim.c: builds it, and reads and sets its state while the relay runs."""
import errno
import mmap
import pathlib
import shutil
import struct
import subprocess

from .relay import SCRATCH, check, skip

FIELDS = ["swallow", "fail_kind", "fail_after", "fail_errno", "fdatasync", "syncfs", "fsync", "write",
          "failed", "failed_at", "later", "later_syncs", "slow"]
KINDS = {"fdatasync": 1, "syncfs": 2, "fsync": 4, "write": 8}


class Shim:
    def __init__(self, folder, name="shim"):
        self.library, self.path = build(), folder / (name + ".state")
        self.path.write_bytes(b"\0" * 4096)
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4096)

    def environment(self):
        return {"RIG_SHIM": str(self.path)}

    def __getitem__(self, name):
        return struct.unpack_from("q", self.memory, 8 * FIELDS.index(name))[0]

    def __setitem__(self, name, value):
        struct.pack_into("q", self.memory, 8 * FIELDS.index(name), value)

    def fail(self, kinds, after=1, code=errno.EIO):
        """The `after`-th call of one of these kinds from now on fails, once."""
        self["fail_errno"] = code
        self["fail_kind"] = sum(KINDS[kind] for kind in kinds)
        self["fail_after"] = after

    def reset(self):
        self.memory[:] = b"\0" * 4096


def build():
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        skip("shim", "no C compiler")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    library = SCRATCH / "shim.so"
    source = pathlib.Path(__file__).with_name("shim.c")
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        done = subprocess.run(
            [shutil.which("gcc") or "cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC",
             "-o", str(library), str(source), "-ldl"], capture_output=True, text=True)
        check(done.returncode == 0, done.stderr)
    return library
