"""What a process and its children cost, read from the kernel (Linux): CPU time to the microsecond, resident memory.

A process that ends while it is read counts for nothing.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE_SECONDS = 0.1


def tree(pid: int) -> Iterator[int]:
    """Yield the process and all below it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in read(children).split():
            yield from tree(int(child))


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def total(pid: int, of_one: Callable[[int], float]) -> float:
    """Add up what `of_one` says of the process and of each below it."""
    amount = 0.0
    for process in tree(pid):
        try:
            amount += of_one(process)
        except (OSError, IndexError):
            continue
    return amount


def cpu_seconds(pid: int) -> float:
    """Return user and system time of the process and its living children.

    The clock is that of clock_getcpuclockid(3), which Python does not offer: pid and CPUCLOCK_SCHED packed as in
    <linux/posix-timers.h>. The fields of /proc/PID/stat tick in hundredths of a second, too coarse for one stream.
    """
    return total(pid, lambda process: time.clock_gettime((~process << 3) | 2))


def machine_seconds() -> float:
    """Return the time all processors of this machine have been at work (proc(5): all but idle and iowait)."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    return int(total(pid, lambda process: int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE))


async def peak_bytes(pid: int, until: asyncio.Event) -> int:
    """Return the largest resident size seen until the event."""
    peak = resident_bytes(pid)
    while not until.is_set():
        await asyncio.sleep(SAMPLE_SECONDS)
        peak = max(peak, resident_bytes(pid))
    return peak
