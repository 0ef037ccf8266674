"""A disk for each node: ext4 on a loop device, so that it can be full, frozen, broken, or without power, for this node alone."""

import errno
import fcntl
import os
import struct
import time
from pathlib import Path

from machine import run

FIFREEZE = 0xC004_5877
FITHAW = 0xC004_5878
EXT4_IOC_SHUTDOWN = 0x8004_587D
# Not even ext4's own journal is flushed: what was not synced is gone.
EXT4_GOING_FLAGS_NOLOGFLUSH = 2
# Sparse, so this is what a node may use, not what it takes.
DISK_BYTES = 2 << 30
UNMOUNT_SECONDS_MAX = 20
BALLAST_PART_BYTES = 64 << 20


class Disk:
    """The file system that holds one node's data directory."""

    def __init__(self, folder, number):
        self.image = Path(folder) / f"disk-{number}.img"
        self.mount_point = Path(folder) / f"disk-{number}"

    def make(self):
        with open(self.image, "wb") as image:
            image.truncate(DISK_BYTES)
        # Nothing lazy: no kernel thread may write to the disk on its own account.
        run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        self.mount_point.mkdir()
        self.mount()

    def mount(self):
        run("mount", "-o", "loop,noatime", self.image, self.mount_point)

    def unmount(self):
        """Waits for the node's last threads to let go."""
        deadline = time.monotonic() + UNMOUNT_SECONDS_MAX
        while True:
            try:
                return run("umount", self.mount_point)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def cut_power(self):
        """From now on nothing reaches the disk and every call fails with EIO; what was not synced is lost."""
        self._ioctl(EXT4_IOC_SHUTDOWN, struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))

    def freeze(self):
        """Writes and syncs wait until `thaw`."""
        self._ioctl(FIFREEZE, 0)

    def thaw(self):
        """Does nothing where nothing is frozen."""
        try:
            self._ioctl(FITHAW, 0)
        except OSError:
            pass

    def fill(self, spare_bytes):
        """Leaves so many bytes free, or fewer, as the node itself goes on writing."""
        with open(self._ballast, "wb") as file:
            size = 0
            while (excess := self._free_bytes() - spare_bytes) > 0:
                part = min(excess, BALLAST_PART_BYTES)
                try:
                    os.posix_fallocate(file.fileno(), size, part)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    # Somebody else has taken the last of it.
                    return
                size += part

    def _free_bytes(self):
        free = os.statvfs(self.mount_point)
        return free.f_bavail * free.f_frsize

    def empty(self):
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self):
        return self.mount_point / "ballast"

    def _ioctl(self, code, argument):
        descriptor = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, code, argument)
        finally:
            os.close(descriptor)
