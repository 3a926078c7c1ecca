"""The process between Countersign and its embedded Redis: ends the server when its owner ends.

It is started as a file of its own and imports nothing of ours. The owner holds the other end of
this process's standard input. The kernel closes that end however the owner dies, SIGKILL
included, on Linux and macOS alike: end of file means "stop the server".

As the server's parent it also reaps it. Neither a zombie nor a reused pid is ever met. Should
this process itself be killed, Linux tells the server to stop.

Arguments: the owner's pid, the descriptor of the directory's lock, then the server's command.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time

KILL = b"K"  # what the owner writes for SIGKILL at once; closing the pipe stops gracefully
GRACE = 10.0  # seconds that a graceful stop may take: the server only has to fsync its AOF
GLANCE = 0.5  # seconds between two looks at the parent's pid, which no descriptor reports
PR_SET_PDEATHSIG = 1  # from Linux's prctl.h


def main(owner: int, lock: int, command: list[str]) -> int:
    """Run the server until it ends by itself, the owner says so, or the owner is gone."""
    # The lock goes on to the server: the directory is in use for as long as either lives.
    server = subprocess.Popen(  # noqa: S603 - the owner's own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        pass_fds=(lock,),
        preexec_fn=_stop_with_this_thread if sys.platform == "linux" else None,  # noqa: PLW1509 - one thread so far
    )
    signal.signal(signal.SIGTERM, lambda _signal, _frame: server.terminate())
    print(server.pid, flush=True)  # noqa: T201 - the owner reads this line
    threading.Thread(target=_end_with, args=(owner, server), daemon=True).start()
    return server.wait()


def _stop_with_this_thread() -> None:
    # The signal comes when the forking thread ends: this is the main one, which ends last.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_with(owner: int, server: subprocess.Popen[bytes]) -> None:
    if _last_word(owner) == KILL:
        server.kill()
        return
    server.terminate()
    time.sleep(GRACE)  # this thread ends with the process, which ends with the server
    server.kill()


def _last_word(owner: int) -> bytes:
    # A child that the owner forked without exec keeps the pipe open: hence the parent's pid.
    while os.getppid() == owner:
        readable, _, _ = select.select([0], [], [], GLANCE)
        if readable:
            return os.read(0, 1)
    return b""


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
