"""Many tasks on many cores, some of which may die.

A task is anything with a method ``make()`` that can be sent to another process. A song can kill the process that reads
it: a fault in a library, memory that runs out. Then all that the pool was doing is lost, and nobody knows which task
was to blame. So the lost tasks are done again one by one, and the one that kills again is known.
"""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait


class Died(Exception):
    """The process that was doing a task died."""


class Here(Executor):
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
    they do not hear Ctrl-C: what they are at is finished, and this process decides what is next.
    """
    if workers == 0:
        return Here()
    fresh = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        workers, mp_context=fresh, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    )


def run(tasks: Iterable, executor: Executor | Callable[[], Executor] | None, workers: int | None) -> Iterator[tuple]:
    """Do tasks, at most a few at a time more than there are workers; yield each with its result as it is done.

    A task whose process died is yielded with ``Died`` instead. What else a task raises is raised here.
    ``executor`` and ``workers`` are as in ``building.build``.
    """
    waiting, lost = deque(tasks), []
    own = not isinstance(executor, Executor)
    make = executor if callable(executor) else lambda: pool(workers)
    current = make() if own else executor
    width = 1 if isinstance(current, Here) else 2 * (workers or os.cpu_count() or 1) + 2
    if not own:
        width = max(width, 256)  # a cluster: who knows how large
    running: dict[Future, object] = {}
    try:
        while waiting or running:
            broken = False
            while waiting and len(running) < width:
                try:
                    running[current.submit(waiting[0].make)] = waiting[0]
                except BrokenExecutor:
                    broken = True
                    break
                waiting.popleft()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task = running.pop(future)
                error = future.exception()
                if error is None:
                    yield task, future.result()
                elif (
                    isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"
                ):  # the latter is dask's
                    lost.append(task)
                    broken |= isinstance(error, BrokenExecutor)
                else:
                    raise error
            if broken and not running:
                if own:
                    current.shutdown(wait=False)
                current, own = (make() if own else pool(workers)), True
    finally:
        for future in running:
            future.cancel()
        if own:
            current.shutdown(wait=False, cancel_futures=True)
    for task, result in one_by_one(lost):
        yield task, result


def one_by_one(tasks: Iterable) -> Iterator[tuple]:
    """Do tasks one after the other in a process beside this one; yield each with its result, or with ``Died``."""
    beside = None
    try:
        for task in tasks:
            beside = beside or pool(1)
            try:
                yield task, beside.submit(task.make).result()
            except BrokenExecutor:
                beside.shutdown(wait=False)
                beside = None
                yield task, Died()
    finally:
        if beside:
            beside.shutdown(wait=False, cancel_futures=True)
