"""Clusters: executors whose workers run elsewhere; dask.distributed is the first."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import mistake

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds to wait for the scheduler to answer, and for its first worker.
CLUSTER_PATIENCE = 30


class Dask(Executor):
    """The workers of a dask scheduler, which gives the task of a lost worker to another one."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def workers(self) -> int:
        """How many tasks run at once."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return sum(int(worker["nthreads"]) for worker in workers.values())

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """What `fn(*args)` gives, some time, computed by a worker. dask's own executor takes an
        answer for an error where its worker is lost just after it was fetched.
        """
        answer: Future[Any] = Future()
        # Two equal batches are two all the same, which `pure` would deny.
        asked = self._client.submit(fn, *args, pure=False, **kwargs)
        asked.add_done_callback(lambda done: _pass_on(done, answer))
        answer.add_done_callback(lambda given: asked.cancel() if given.cancelled() else None)
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster to its other users; what is under way for this one is given up."""
        self._client.close(timeout=CLUSTER_PATIENCE)


def _pass_on(done: Any, answer: Future[Any]) -> None:
    """Hand on what came of a task."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(done.result())
    except BaseException as error:  # noqa: BLE001 - whatever it is, told by whoever waits for the answer
        answer.set_exception(error)


def connect(address: str) -> Dask:
    """The workers of a dask scheduler.

    Raises:
        UserError: dask.distributed is not installed, nothing answers at the address, or there is no
            worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        message = "`--cluster` needs dask.distributed, which is not installed"
        way_out = "pip install 'gradcheck-cli[cluster]'"
        raise mistake("missing-extra", message, help=way_out) from error
    try:
        client: Any = Client(address, timeout=CLUSTER_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]  # distributed has types in part
        client.wait_for_workers(1, timeout=CLUSTER_PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"no scheduler with a worker answers at `{address}`: {reason}"
        raise mistake("unreachable", message) from error
    return Dask(client)
