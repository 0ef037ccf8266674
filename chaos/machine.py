"""What a run needs of the machine: said before anything is changed, with what to do about it."""

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

# Everything that a run makes carries this name, so that what a crashed run left behind is found and removed.
PREFIX = "thalweg-chaos-"
LOCK = Path("/run/lock/thalweg-chaos.lock")
TOOLS = {
    "ip": "iproute2", "iptables": "iptables", "mkfs.ext4": "e2fsprogs", "mount": "mount", "losetup": "mount",
    "strace": "strace", "cc": "gcc",
}  # fmt: skip
CLONE_NEWNET = 0x4000_0000
PR_SET_PDEATHSIG = 1
SIOCETHTOOL = 0x8946
# Segmentation and checksums left to the receiving end (ETHTOOL_STXCSUM, _STSO, _SGSO). They must be done by the sender, or a
# cable that is a program would see packets as large as 64 KiB and without a checksum.
OFFLOADS = (0x17, 0x1F, 0x24)

_libc = ctypes.CDLL(None, use_errno=True)


class Unfit(Exception):
    """The machine does not offer what is needed."""


def check():
    """Raises `Unfit` unless a run can be made here."""
    if os.geteuid() != 0:
        raise Unfit("chaos needs root: it makes network namespaces and mounts file systems. Run it with sudo.")
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if missing:
        raise Unfit(f"programs are missing: apt-get install {' '.join(missing)}")
    probe = PREFIX + "probe"
    for what, command in (
        ("network namespaces", ["ip", "netns", "add", probe]),
        ("bridges", ["ip", "-n", probe, "link", "add", "bridge", "type", "bridge"]),
        ("pairs of virtual Ethernet", ["ip", "-n", probe, "link", "add", "name", "one", "type", "veth", "peer", "name", "two"]),
        ("iptables", ["ip", "netns", "exec", probe, "iptables", "-w", "-A", "INPUT", "-s", "10.0.0.1", "-j", "DROP"]),
    ):
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            subprocess.run(["ip", "netns", "delete", probe], capture_output=True)
            raise Unfit(f"this machine has no {what}: `{' '.join(command)}` says: {result.stderr.strip()}")
    subprocess.run(["ip", "netns", "delete", probe], check=True)
    if not Path("/dev/loop-control").exists():
        raise Unfit("this machine has no loop devices (/dev/loop-control): each node needs a file system of its own")


def lock():
    """Held for the whole run: a second one would remove the first one's namespaces. Returns the open file."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    file = open(LOCK, "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Unfit("another chaos run is under way on this machine") from None
    return file


def run(*command, seconds_max=60):
    """Runs a command that must succeed and returns what it prints."""
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=seconds_max, stdin=subprocess.DEVNULL
    )
    if result.returncode:
        words = " ".join(str(word) for word in command)
        raise RuntimeError(f"`{words}` failed with {result.returncode}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def enter_namespace(name):
    """Moves the calling thread, and all processes and threads it starts, into a network namespace."""
    descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if _libc.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the namespace {name}")
    finally:
        os.close(descriptor)


def die_with_parent(signal):
    """The calling process gets `signal` when the thread that started it ends, however it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)


def offloads_off(interface):
    """Makes an interface of the current namespace send packets as they are on a real cable."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for command in OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(handle, SIOCETHTOOL, request)
