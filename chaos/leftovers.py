"""Removes what a run has made: its own things at the end, and those of an earlier run that could not."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from disks import Disk
from machine import PREFIX, run

DIE_SECONDS_MAX = 10


def remove():
    """Everything that carries our prefix: frozen file systems, processes in our namespaces, mounts, loop devices, namespaces, folders."""
    thaw_all()
    for name in namespaces():
        end_processes(name)
    for folder in mounts():
        _quietly("umount", folder) or _quietly("umount", "--lazy", folder)
    for device in loop_devices():
        _quietly("losetup", "--detach", device)
    for name in namespaces():
        _quietly("ip", "netns", "delete", name)
    mounted = mounts()
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        if not any(mount.startswith(f"{folder}/") for mount in mounted):
            shutil.rmtree(folder, ignore_errors=True)


def namespaces():
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.glob(PREFIX + "*")) if folder.is_dir() else []


def mounts():
    lines = Path("/proc/self/mounts").read_text().splitlines()
    folders = [line.split()[1] for line in lines]
    return [folder for folder in reversed(folders) if _is_ours(folder)]


def loop_devices():
    lines = run("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE").splitlines()
    return [line.split()[0] for line in lines if _is_ours(line.split(maxsplit=1)[-1])]


def thaw_all():
    """A process that waits for a frozen disk can't even be killed."""
    for folder in mounts():
        disk = Disk(Path(folder).parent, 0)
        disk.mount_point = Path(folder)
        disk.thaw()


def end_processes(name):
    """Ends what runs inside one of our namespaces, but not this process, which may have entered it itself, nor its own helpers."""
    pids = [int(pid) for pid in run("ip", "netns", "pids", name).split()]
    pids = [pid for pid in pids if os.getpid() not in (pid, int(_status(pid)[1] or 0))]
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    deadline = time.monotonic() + DIE_SECONDS_MAX
    while any(_is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)


def _is_running(pid):
    return _status(pid)[0] not in ("", "Z")


def _status(pid):
    """State and parent; nothing where the process is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return "", ""
    return words[0], words[1]


def _is_ours(path):
    return f"{tempfile.gettempdir()}/{PREFIX}" in path


def _quietly(*command):
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
