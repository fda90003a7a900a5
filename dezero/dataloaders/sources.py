"""Where the batches of one loop come from: made in turn, made ahead by threads, and on their way to a device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from dezero.errors import DeviceMemoryError

Job = Callable[[int], Callable[[], Any]]  # of the number of a batch: what makes it, in any thread at any time

AHEAD = 2  # batches on their way to the device, beside the one that is asked for


class InTurn:
    """Each batch is made when it is asked for.

    Args:
        job: see above.
        feed: writes batches into pinned memory (:class:`dezero.backend.cuda.prefetch.Feed`); None leaves them where they are.
    """

    ahead = 1  # a batch ahead is made in the thread that asks, so one must do

    def __init__(self, job: Job, feed: Any = None) -> None:
        self.job, self.feed = job, feed

    def ready(self, k: int) -> bool:
        """May batch ``k`` be asked for without waiting for others?"""
        return True

    def take(self, k: int) -> Any:
        """Batch ``k``."""
        batch = self.job(k)()
        return batch if self.feed is None else self.feed.stage(batch, self.feed.slot())

    def close(self) -> None:
        """The loop is over."""


class Workers:
    """Batches are made ahead by threads that end with the loop.

    Args:
        job, feed: as above.
        workers: how many threads.
        prefetch: how many batches ahead, for each.
        end: the number of batches.
    """

    ahead = AHEAD

    def __init__(self, job: Job, workers: int, prefetch: int, end: int, feed: Any = None) -> None:
        self.job, self.feed, self.most, self.end = job, feed, workers * prefetch, end
        self.pending: deque[tuple[int, Future[Any], Any]] = deque()
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="dezero-loader")

    def ready(self, k: int) -> bool:
        """Is batch ``k`` made?"""
        return bool(self.pending) and self.pending[0][0] == k and self.pending[0][1].done()

    def take(self, k: int) -> Any:
        """Batch ``k``; those after it are begun."""
        while self.pending and self.pending[0][0] != k:  # next(loader) inside of the loop took batches
            self._forget()
        made = self.pending[-1][0] + 1 if self.pending else k
        for n in range(made, min(self.end, k + self.most)):
            slot = None if self.feed is None else self.feed.slot()
            self.pending.append((n, self.pool.submit(self._made, self.job(n), slot), slot))
        return self.pending.popleft()[1].result()

    def _made(self, make: Callable[[], Any], slot: Any) -> Any:
        """In a thread of the pool: a batch, in pinned memory where there is a feed."""
        if self.feed is None:
            return make()
        try:
            return self.feed.stage(make(), slot)
        except BaseException:
            self.feed.put_back(slot)
            raise

    def _forget(self) -> None:
        """Give up the next batch, and its slot as soon as nothing is written there."""
        _, future, slot = self.pending.popleft()
        future.cancel()
        if self.feed is not None:
            future.add_done_callback(lambda f: self.feed.put_back(slot if f.cancelled() else None if f.exception() else f.result().slot))

    def close(self) -> None:
        """End the threads; batches that are being made are waited for."""
        try:
            self.pool.shutdown(wait=True, cancel_futures=True)
        finally:
            while self.pending:
                self._forget()


class Fed:
    """Batches that are copied to a device while those before them are worked on.

    Args:
        source: gives them in pinned memory.
        feed: copies them.
        end: the number of batches.
    """

    def __init__(self, source: InTurn | Workers, feed: Any, end: int) -> None:
        self.source, self.feed, self.end = source, feed, end
        self.sent: deque[tuple[int, Any]] = deque()  # an error stands in the place of a batch that cannot be made
        self.staged: tuple[int, Any] | None = None   # one that the device had no room for beside the batches before it

    def take(self, k: int) -> Any:
        """Batch ``k`` on the device. The copies of those after it are begun, as far as they are there."""
        while self.sent and self.sent[0][0] != k:
            self._forget()
        if not self.sent:
            self.sent.append((k, self.feed.send(self._staged(k))))
        for n in range(self.sent[-1][0] + 1, min(self.end, k + 1 + self.source.ahead)):
            if self.staged is not None or isinstance(self.sent[-1][1], Exception) or not self.source.ready(n):
                break
            try:
                staged = self.source.take(n)
                self.sent.append((n, self.feed.send(staged)))
            except DeviceMemoryError:
                self.staged = n, staged  # there may be room when its turn comes
            except Exception as error:  # it belongs to its own batch: those before come first
                self.sent.append((n, error))
        found = self.sent.popleft()[1]
        if isinstance(found, Exception):
            raise found
        return self.feed.receive(found)

    def _staged(self, k: int) -> Any:
        """Batch ``k`` in pinned memory."""
        staged, self.staged = self.staged, None
        return self.source.take(k) if staged is None or staged[0] != k else staged[1]

    def _forget(self) -> None:
        found = self.sent.popleft()[1]
        if not isinstance(found, Exception):
            self.feed.drop(found)

    def close(self) -> None:
        """The loop is over: what is still on its way is given up."""
        try:
            self.source.close()
        finally:
            while self.sent:
                self._forget()
