"""Running tasks on many processes, and finding the task that kills its process.

A task is a picklable object with a method ``make()``. A song can kill the process that reads it: by a fault in a
library, or for want of memory. A pool then loses all tasks that were running, without saying which one was the cause.
They are run again one by one, each in a process of its own, and the task that kills again is found.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for
from typing import Any


class WorkerDied(Exception):
    """The result of a task whose process died."""


class InlineExecutor(Executor):
    """An executor that runs each task at once, in this process."""

    def submit(self, task, /, *args, **kwargs) -> Future:
        """Run the task; the future that is returned is done."""
        future = Future()
        try:
            future.set_result(task(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def pool(workers: int | None = None) -> Executor:
    """A pool of ``workers`` processes, by default one a core; with ``workers=0``, this process alone.

    They are spawned, not forked: a forked copy of a process that runs TensorFlow or a notebook can hang. They ignore
    Ctrl-C, which this process handles for them.
    """
    if workers == 0:
        return InlineExecutor()
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=start_worker)


def start_worker() -> None:
    """Initialize a worker process: ignore Ctrl-C, and end when the parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def end_with_parent():
        if parent:
            wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def stop(executor: Executor) -> None:
    """Terminate a pool's processes. Files are written atomically, so none is left half-written."""
    processes = list((getattr(executor, "_processes", None) or {}).values())  # no public way before Python 3.14
    for process in processes:
        process.terminate()
    executor.shutdown(wait=False)


class Workers:
    """Runs tasks on an executor. As a context manager, it shuts down the executors that it started.

    ``executor`` and ``workers`` are as in ``builder.build``.
    """

    def __init__(self, executor: Executor | Callable[[], Executor] | None = None, workers: int | None = None):
        self.given = executor if isinstance(executor, Executor) else None
        self.make = (lambda: pool(workers)) if executor is None or isinstance(executor, Executor) else executor
        self.in_flight = 1 if workers == 0 else 2 * (workers or os.cpu_count() or 1) + 2  # tasks submitted at a time
        if executor:
            self.in_flight = 256  # a cluster of unknown size
        self.current: Executor | None = None  # started when it is needed

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, error, *_) -> None:
        if self.current and self.current is not self.given:
            if error:
                stop(self.current)
            else:
                self.current.shutdown(wait=False)

    def run(self, tasks: Iterable) -> Iterator[tuple[Any, Any]]:
        """Run tasks, and yield each with its result as it is done.

        A task whose process died twice is yielded with a ``WorkerDied``. Other exceptions of a task are raised here.
        """
        waiting, lost = deque(tasks), []
        running: dict[Future, Any] = {}
        try:
            while waiting or running:
                self.current = self.current or self.given or self.make()
                broken = False
                while waiting and len(running) < self.in_flight and not broken:
                    try:
                        running[self.current.submit(waiting[0].make)] = waiting[0]
                        waiting.popleft()
                    except BrokenExecutor:
                        broken = True
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    task, error = running.pop(future), future.exception()
                    if error is None:
                        yield task, future.result()
                    elif isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":  # dask's
                        lost.append(task)
                        broken |= isinstance(error, BrokenExecutor)
                    else:
                        raise error
                if broken and not running:
                    self.current.shutdown(wait=False)
                    self.current = self.given = None  # a given executor cannot be made again: go on with a pool
        finally:
            if self.given:  # an executor of our own is shut down as a whole
                for future in running:
                    future.cancel()
        yield from one_by_one(lost)


def checked(processes: Executor) -> Executor:
    """The pool itself, once a process of it has started. Raises RuntimeError if none can be started."""
    try:
        processes.submit(os.getpid).result()
    except BrokenExecutor:
        raise RuntimeError(
            "no process could be started. In a script, the call must stand below `if __name__ == '__main__':`, because "
            "each new process imports the script; or use this process, with workers=0"
        ) from None
    return processes


def one_by_one(tasks: Iterable) -> Iterator[tuple[Any, Any]]:
    """Run tasks one after the other in a single other process; yield each with its result or a ``WorkerDied``."""
    beside = None
    try:
        for task in tasks:
            beside = beside or checked(pool(1))
            try:
                yield task, beside.submit(task.make).result()
            except BrokenExecutor:
                beside.shutdown(wait=False)
                beside = None
                yield task, WorkerDied()
    finally:
        if beside:
            beside.shutdown(wait=False, cancel_futures=True)
