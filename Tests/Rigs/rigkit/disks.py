"""A file system of its own on a loop device, which can lose power.

The cut is EXT4_IOC_SHUTDOWN with flag 2: the file system stops at once and its log is not flushed, so
that nothing survives but what had reached the device. Unmounting and mounting again replays the
journal, as after a power failure.
"""
import atexit
import ctypes
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import time

from .relay import check, new_id, scratch

NEW_MOUNTS = 0x20000  # CLONE_NEWNS
SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2
MAKE = {  # no background initialisation: it would sync at times of its own
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-m", "0"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
}


def missing(kinds=("ext4",)):
    """Why loop disks cannot be used here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for tool in ["losetup", "mount", "umount", "unshare"] + [MAKE[kind][0] for kind in kinds]:
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    try:
        own_mounts()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no list of mounts of its own: {error}"
    found = subprocess.run(["losetup", "-f"], capture_output=True, text=True)
    if found.returncode != 0:
        return "no loop device: " + found.stderr.strip()
    for kind in kinds:
        try:
            LoopDisk(kind, 320 if kind == "xfs" else 32).close()
        except subprocess.CalledProcessError as error:
            return f"no {kind} on a loop device: {error.stderr.strip()}"
    return None


def own_mounts():
    """Gives this process its own list of mounts, without those of other rigs.

    A relay is started in a copy of the list, and a file system lives until it is in none: with a
    shared list another rig's relay would keep ours from ending, and what was cut would stay cut.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    mounts = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if "/.build/rigs/" in mount]):
        run("umount", "-l", mount)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class LoopDisk:
    def __init__(self, kind="ext4", megabytes=256):
        self.kind, self.folder = kind, scratch("disk")
        self.image, self.mount_point = self.folder / "image", self.folder / "mnt"
        self.loop, self.mounted = None, False
        atexit.register(self.close)
        self.mount_point.mkdir()
        self._make(megabytes << 20)
        self.loop = run("losetup", "-f", "--show", str(self.image))
        self._mount()

    def _make(self, size):
        with open(self.image, "wb") as image:
            image.truncate(size)
        run(*MAKE[self.kind], str(self.image))

    @property
    def data(self):
        return self.mount_point / "data"

    def _mount(self):
        run("mount", "-t", self.kind, self.loop, str(self.mount_point))
        self.mounted = True

    def flushes(self):
        """How many cache flushes the device has been sent (field 16 of its stat file)."""
        stat = pathlib.Path("/sys/block", pathlib.Path(self.loop).name, "stat")
        return int(stat.read_text().split()[15])

    def cut(self):
        folder = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def power_up(self):
        """After a cut, with the relay gone: the journal is replayed; the data directory is back."""
        self._unmount()
        self._mount()

    def sync(self):
        folder = os.open(self.mount_point, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        run("sync", "-f", str(self.mount_point))

    def free(self):
        stat = os.statvfs(self.mount_point)
        return stat.f_bavail * stat.f_frsize

    def _unmount(self):
        # The relay's mount namespace ends a moment after the relay.
        for attempt in range(100):
            if subprocess.run(["umount", str(self.mount_point)], capture_output=True).returncode == 0:
                break
            time.sleep(0.05)
        else:
            run("umount", "-l", str(self.mount_point))
        self.mounted = False

    def close(self):
        if self.mounted:
            self._unmount()
        if self.loop:
            for attempt in range(20):
                if subprocess.run(["losetup", "-d", self.loop], capture_output=True).returncode == 0:
                    break
                time.sleep(0.05)
            self.loop = None
        self.image.unlink(missing_ok=True)


class FailingDisk(LoopDisk):
    """An ext4 whose write-back can be made to fail in the kernel, and to work again.

    Its image lies on a tmpfs and has holes where the file system is free. With the tmpfs full, the
    loop device cannot write to a hole: the write of a page to a block that was free fails, is
    reported by the next sync, and the page is clean. Journal and inodes have their blocks.
    """

    SPARE = 8 << 20  # what the tmpfs holds beside the image
    usual = None  # the device's setting, which outlives the disk

    def _make(self, size):
        self.thin = self.folder / "thin"
        self.thin.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={size + self.SPARE}", "tmpfs", str(self.thin))
        self.image, self.filler = self.thin / "image", self.thin / "filler"
        with open(self.image, "wb") as image:
            image.truncate(size)
        # A block is a page: no free block shares its page with one that is in use.
        run(*MAKE[self.kind], "-b", "4096", str(self.image))
        # mkfs punches holes for the zeros of the journal too, whose writes must go on.
        with open(self.image, "r+b") as image:
            os.posix_fallocate(image.fileno(), 0, size)

    def _mount(self):
        # A loop device says that a write of two pages succeeded of which the second found no space:
        # a disk that lies, against which no sync helps. With one page at a time it is honest.
        self.largest = pathlib.Path("/sys/block", pathlib.Path(self.loop).name, "queue/max_sectors_kb")
        self.usual = self.usual or self.largest.read_text()
        self.largest.write_text("4")
        super()._mount()

    def fail(self):
        """From now on what is written to blocks that are free now is lost."""
        self.sync()
        run("fstrim", str(self.mount_point))
        with open(self.filler, "wb") as filler:
            stat = os.statvfs(self.thin)
            os.posix_fallocate(filler.fileno(), 0, stat.f_bavail * stat.f_frsize)
        check(os.statvfs(self.thin).f_bavail == 0, "the tmpfs has space left")

    def mend(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        if self.loop and self.usual:
            self.largest.write_text(self.usual)
        super().close()
        if self.thin.is_mount():
            run("umount", str(self.thin))


def other_boot(folder):
    """A file to be bound over the kernel's boot id: the machine has been off."""
    path = folder / "boot_id"
    path.write_text(new_id() + "\n")
    return path
