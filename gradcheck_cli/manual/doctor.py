"""The machine, for `gradcheck doctor`: versions, devices, determinism and threads."""

from __future__ import annotations

from gradcheck_cli.records.versions import version_of, versions


def diagnosis() -> dict[str, str]:
    """Versions, devices, determinism and thread settings, by name."""
    import torch

    cuda = torch.cuda.is_available()
    devices = (
        [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
        if cuda
        else []
    )
    return {
        **versions(),
        "numpy": version_of("numpy"),
        "typer": version_of("typer"),
        "rich": version_of("rich"),
        "devices": ", ".join(["cpu", *devices]),
        "cuda": str(torch.version.cuda),
        "threads": str(torch.get_num_threads()),
        "deterministic": str(torch.are_deterministic_algorithms_enabled()),
        "float32_matmul": torch.get_float32_matmul_precision(),
        "flush_subnormals": str(_flushes()),
        "sympy_process": _sympy_process(),
    }


def _flushes() -> bool:
    """Whether this machine's torch turns subnormal numbers into 0."""
    import torch

    return bool((torch.tensor(2.0**-1074, dtype=torch.float64) * 1.0 == 0).item())


def _sympy_process() -> str:
    from gradcheck_cli.api import check

    opinion = check("x**2", {"x": 3}).records[0]["partials"][0]["analytic"]
    if opinion.get("formula") == "2*x":
        return "answers"
    return f"fails: {opinion.get('formula') or opinion['abstained']}"
