"""Clusters: executors of the `concurrent.futures` kind whose workers run elsewhere. dask.distributed is the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import mistake

if TYPE_CHECKING:
    from concurrent.futures import Executor

# Seconds to wait for the scheduler to answer, and for its first worker.
PATIENCE = 30


def connect(address: str) -> tuple[Executor, int]:
    """An executor on the workers of a dask scheduler, and how many tasks they run at once.

    Raises:
        UserError: dask.distributed is not installed, nothing answers at the address, or there is no worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise mistake("missing-extra", "`--cluster` needs dask.distributed, which is not installed", help="pip install 'gradcheck-cli[cluster]'") from error
    try:
        client: Any = Client(address, timeout=PATIENCE, set_as_default=False)
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise mistake("unreachable", f"no scheduler with a worker answers at `{address}`: {reason}") from error
    threads = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())
    # A batch whose worker is lost is given to another one by the scheduler; `pure` would take two equal batches for one.
    executor: Executor = client.get_executor(pure=False)
    return executor, threads
