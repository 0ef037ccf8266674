"""A bad cable: passes Ethernet frames between two interfaces, late, out of order, or not at all.

What `tc netem` does, for kernels without it. Works on packets, so that TCP itself has to cope.
"""

import argparse
import heapq
import random
import select
import socket
import time

FRAME_BYTES_MAX = 65_536
ETH_P_ALL = 3
PACKET_OUTGOING = 4
# More than a node sends in the longest delay; beyond it the cable drops, as a full queue does.
FRAMES_HELD_MAX = 50_000


def main():
    options = arguments()
    dice = random.Random(options.seed)
    ends = [opened(options.left), opened(options.right)]
    held = []
    serial = 0
    last_due = [0.0, 0.0]
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        readable, _, _ = select.select(ends, [], [], wait)
        now = time.monotonic()
        for end in readable:
            for frame in frames(end):
                if dice.random() < options.loss or len(held) >= FRAMES_HELD_MAX:
                    continue
                side = ends.index(end)
                due = now + (options.delay_ms + dice.uniform(0, options.jitter_ms)) / 1_000
                if dice.random() < options.reorder:
                    # Overtakes what waits, or is overtaken where nothing waits.
                    due = now + dice.uniform(0, 2 * options.delay_ms + 5) / 1_000
                else:
                    due = last_due[side] = max(due, last_due[side])
                serial += 1
                heapq.heappush(held, (due, serial, 1 - side, frame))
        now = time.monotonic()
        while held and held[0][0] <= now:
            _, _, side, frame = heapq.heappop(held)
            try:
                ends[side].send(frame)
            except OSError:
                # The interface is going away or its queue is full: a cable loses frames.
                pass


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("left")
    parser.add_argument("right")
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    parser.add_argument("--loss", type=float, default=0.0)
    parser.add_argument("--reorder", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def opened(interface):
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    end.bind((interface, 0))
    end.setblocking(False)
    return end


def frames(end):
    """What has arrived, without what this program itself has sent."""
    for _ in range(64):
        try:
            frame, origin = end.recvfrom(FRAME_BYTES_MAX)
        except BlockingIOError:
            return
        if origin[2] != PACKET_OUTGOING:
            yield frame


if __name__ == "__main__":
    main()
