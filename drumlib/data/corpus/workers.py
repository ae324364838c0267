"""Many tasks on many cores, some of which may die.

A task is anything with a method ``make()`` that can be sent to another process. A song can kill the process that reads
it: a fault in a library, memory that runs out. Then all that the pool was doing is lost, and nobody knows which task
was to blame. So the lost tasks are done again one by one, and the one that kills again is known.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for


class WorkerDied(Exception):
    """The process that was doing a task died."""


class InlineExecutor(Executor):
    """An executor that does a task when it is given: in this process, without another core."""

    def submit(self, task, /, *args, **kwargs) -> Future:
        """Do it now."""
        future = Future()
        try:
            future.set_result(task(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def pool(workers: int | None = None) -> Executor:
    """A pool of processes, as many as there are cores; with ``workers=0``, none but this one.

    They are started afresh: a copy of a process in which TensorFlow or a notebook runs can stand still for ever. And
    they do not hear Ctrl-C: this process does, and decides what is next.
    """
    if workers == 0:
        return InlineExecutor()
    fresh = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=fresh, initializer=begin_work)


def begin_work() -> None:
    """What a worker does first: it no longer hears Ctrl-C, and sees to it that it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent():
        wait_for([multiprocessing.parent_process().sentinel])
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def stop(executor: Executor) -> None:
    """End a pool of ours at once. What its workers were writing is there whole or not at all."""
    processes = list((getattr(executor, "_processes", None) or {}).values())  # it has no public way before Python 3.14
    for process in processes:
        process.terminate()
    executor.shutdown(wait=False)


class Workers:
    """Who does the tasks. As a context manager, it ends what it has begun.

    ``executor`` and ``workers`` are as in ``building.build``.
    """

    def __init__(self, executor: Executor | Callable[[], Executor] | None = None, workers: int | None = None):
        self.given = executor if isinstance(executor, Executor) else None
        self.make = executor if executor and not self.given else lambda: pool(workers)
        self.width = 1 if workers == 0 else 2 * (workers or os.cpu_count() or 1) + 2
        if executor:
            self.width = 256  # a cluster, perhaps: who knows how large
        self.current: Executor | None = None  # started when it is needed

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, error, *_) -> None:
        if self.current and self.current is not self.given:
            if error:
                stop(self.current)
            else:
                self.current.shutdown(wait=False)

    def run(self, tasks: Iterable) -> Iterator[tuple]:
        """Do tasks, not many more at a time than there are workers; yield each with its result as it is done.

        A task whose process died is yielded with ``Died`` instead. What else a task raises is raised here.
        """
        waiting, lost = deque(tasks), []
        running: dict[Future, object] = {}
        try:
            while waiting or running:
                self.current = self.current or self.given or self.make()
                broken = False
                while waiting and len(running) < self.width and not broken:
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
                    self.current = self.given = None  # whoever gave it made one only: go on with one of our own
        finally:
            if self.given:  # what is our own is ended as a whole
                for future in running:
                    future.cancel()
        yield from one_by_one(lost)


def attempt(processes: Executor) -> Executor:
    """A pool, if its processes can be started at all. Raises RuntimeError if not: then no task is to blame."""
    try:
        processes.submit(os.getpid).result()
    except BrokenExecutor:
        raise RuntimeError(
            "no process could be started. In a script, what builds must stand below `if __name__ == '__main__':`, "
            "for every new process reads the script again; or do it in this process, with workers=0"
        ) from None
    return processes


def one_by_one(tasks: Iterable) -> Iterator[tuple]:
    """Do tasks one after the other in a process beside this one; yield each with its result, or with ``Died``."""
    beside = None
    try:
        for task in tasks:
            beside = beside or attempt(pool(1))
            try:
                yield task, beside.submit(task.make).result()
            except BrokenExecutor:
                beside.shutdown(wait=False)
                beside = None
                yield task, WorkerDied()
    finally:
        if beside:
            beside.shutdown(wait=False, cancel_futures=True)
