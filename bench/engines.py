"""What runs a network over batches of pixels: torch on any device, OpenVINO on CPUs.

An engine is a function from uint8 `(B, 3, S, S)` to float32 `(B, D)`. Scaling and normalisation are
part of the network it runs, so pixels travel as bytes. OpenVINO runs small networks several
times as fast as eager torch on a CPU; it converts the traced module directly, in memory.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from bench import fingerprints
from bench.errors import IncompatibleError, UserError

if TYPE_CHECKING:
    from torch import nn

Engine = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
EngineName = Literal["torch", "openvino"]
Precision = Literal["fp32", "bf16"]

# On some processors OpenVINO's last digits change with the size of what it is given; so each
# network is compiled for one size, and a batch of any other is cut and filled to it.
_OPENVINO_BATCH = 8


@dataclass(frozen=True)
class Execution:
    """Where and how features are extracted. The first three can change the last digits."""

    device: str  # "cpu" or "cuda"
    engine: EngineName
    precision: Precision
    batch_size: int
    workers: int

    def identity(self) -> dict[str, str]:
        """Return what may change a feature's digits, with the versions of what computes it."""
        names = (
            "torch",
            "torchvision",
            "timm",
            *(("openvino",) if self.engine == "openvino" else ()),
        )
        facts = {"device": self.device, "engine": self.engine, "precision": self.precision}
        return facts | fingerprints.versions(*names)


def choose_execution(
    *, device: str, engine: str, precision: Precision, batch_size: int | None, workers: int
) -> Execution:
    """Return the execution for `auto` or named device and engine; refuses what is not there."""
    if device == "auto":
        device = "cuda" if _cuda_is_available() else "cpu"
    elif device == "cuda" and not _cuda_is_available():
        raise IncompatibleError("--device cuda: torch sees no CUDA device here; use --device cpu")
    has_openvino = bool(fingerprints.versions("openvino"))
    if engine == "openvino" and device != "cpu":
        raise IncompatibleError(f"--engine openvino runs on a CPU, not on {device}; use torch")
    if engine == "openvino" and not has_openvino:
        raise IncompatibleError("--engine openvino: it is not installed; pip install openvino")
    if engine == "auto":
        engine = "openvino" if device == "cpu" and has_openvino else "torch"
    if engine == "openvino" and precision == "bf16" and not _openvino_has_bf16():
        # OpenVINO would compute in float32 and say nothing
        raise IncompatibleError(
            "--precision bf16: this processor has no bf16 arithmetic; "
            "use --precision fp32, or --engine torch, which emulates it"
        )
    name: EngineName = "openvino" if engine == "openvino" else "torch"
    # on a CPU a small batch stays in the caches: 8 to 16 images ran fastest, 32 a tenth slower
    return Execution(
        device, name, precision, batch_size or (16 if device == "cpu" else 128), workers
    )


def _openvino_has_bf16() -> bool:
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _cuda_is_available() -> bool:
    if sys.platform == "linux" and not any(
        Path(name).exists() for name in ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    ):
        return False  # no driver: the answer without the seconds that importing torch takes
    import torch

    return torch.cuda.is_available()


def make_engine(module: nn.Module, execution: Execution, *, size: int) -> Engine:
    """Return an engine that runs `module`, uint8 `(B, 3, S, S)` to `(B, D)`, as `execution` says.

    Raises `UserError` where OpenVINO cannot convert the module.
    """
    if execution.engine == "openvino":
        return _openvino(module, execution, size)
    return _torch(module, execution)


def _torch(module: nn.Module, execution: Execution) -> Engine:
    import torch

    module = module.to(execution.device).to(memory_format=torch.channels_last).eval()
    reduced = execution.precision == "bf16"

    def run(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        with (
            torch.inference_mode(),
            torch.autocast(execution.device, torch.bfloat16, enabled=reduced),
        ):
            images = torch.from_numpy(pixels).to(execution.device, non_blocking=True)
            features = module(images.contiguous(memory_format=torch.channels_last))
            return features.float().cpu().numpy()  # type: ignore[no-any-return]

    return run


def _openvino(module: nn.Module, execution: Execution, size: int) -> Engine:
    import openvino
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    example = torch.zeros((_OPENVINO_BATCH, 3, size, size), dtype=torch.uint8)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing warns of every Python number it fixes
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                module.cpu().eval(), example, check_trace=False
            )
            decoder = TorchScriptPythonDecoder(traced)
        # the frontend itself, since openvino.convert_model reports each use to its makers
        frontend = FrontEndManager().load_by_framework("pytorch")
        model = frontend.convert(frontend.load(decoder))
        model.reshape(list(example.shape))
        compiled = openvino.Core().compile_model(
            model,
            "CPU",
            {
                # by itself OpenVINO takes bf16 wherever the processor has it
                "INFERENCE_PRECISION_HINT": "bf16" if execution.precision == "bf16" else "f32",
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            },
        )
    except Exception as error:  # tracing and converting fail in many ways; eager torch may not
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"OpenVINO cannot run this network ({reason}); use --engine torch"
        ) from error

    def run(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        found = []
        for start in range(0, len(pixels), _OPENVINO_BATCH):
            part = pixels[start : start + _OPENVINO_BATCH]
            missing = _OPENVINO_BATCH - len(part)
            filled = np.pad(part, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else part
            found.append(np.array(compiled(filled)[0][: len(part)], dtype=np.float32))
        return np.concatenate(found)

    return run
