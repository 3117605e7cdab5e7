"""What a network that has seen many people makes of a picture: features of four coarsenesses.

The backbone of MediaPipe's pose detector, an EfficientNet-Lite (Tan, Le 2019) that travels in the
wheel: nothing has to be fetched. It has no part in finding faces, so whoever is taught by it is not
taught by the judge. Its sparse, half-precision TFLite file is read once and becomes frozen torch
convolutions, through which gradients flow to the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mirror.markers.networks import packed_network, packed_schema

#: Channels of what comes out, at a half, a quarter, an eighth, a sixteenth of the picture's side.
CHANNELS = (16, 24, 40, 112)


@dataclass(frozen=True)
class _Step:
    """One operation: what it reads and writes by number; weight is empty for a sum."""

    reads: tuple[int, ...]
    writes: int
    weight: str = ""
    stride: int = 1
    groups: int = 1
    most: float | None = None  # None: linear; else rectified, up to this


class Features(nn.Module):
    """(B, 3, S, S) RGB in [0, 1] -> four maps, see CHANNELS; S a multiple of 16, at least 64."""

    def __init__(self) -> None:
        super().__init__()
        schema = packed_schema()
        packed = packed_network("pose_detection/pose_detection.tflite")
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(packed, 0))
        self._steps: list[_Step] = []
        self._kept: list[int] = []
        self._read(model, {v: k for k, v in vars(schema.BuiltinOperator).items() if k[0] != "_"})
        self.requires_grad_(False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """See the class."""
        values = {self._start: picture * 2 - 1}
        found = []
        for step in self._steps:
            if step.weight:
                weight, bias = self.get_buffer(step.weight), self.get_buffer(step.weight + "_bias")
                value = F.conv2d(
                    values[step.reads[0]], weight, bias, step.stride, weight.shape[-1] // 2,
                    groups=step.groups,
                )  # fmt: skip
            else:
                value = values[step.reads[0]] + values[step.reads[1]]
            if step.most is not None:
                value = F.hardtanh(value, 0.0, step.most)
            values[step.writes] = value
            if step.writes in self._kept:
                found.append(value)
        return found

    def _read(self, model: Any, names: dict[int, str]) -> None:
        graph = model.subgraphs[0]
        self._start = int(graph.inputs[0])
        stands_for: dict[int, int] = {}  # dequantised, densified and padded tensors
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            reads = [stands_for.get(int(i), int(i)) for i in operator.inputs]
            writes = int(operator.outputs[0])
            if name in ("DEQUANTIZE", "DENSIFY", "PAD"):  # every padding here is half a kernel
                stands_for[writes] = reads[0]
            elif name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                self._convolution(model, operator, reads, writes, name[0] == "D")
            elif name == "ADD":
                self._steps.append(_Step((reads[0], reads[1]), writes))
            else:
                break
        self._keep_what_is_asked(graph)

    def _convolution(
        self, model: Any, operator: Any, reads: list[int], writes: int, depthwise: bool
    ) -> None:
        weight = _dense(model, reads[1])  # (O, H, W, I), depthwise (1, H, W, O)
        weight = weight.transpose(3, 0, 1, 2) if depthwise else weight.transpose(0, 3, 1, 2)
        name = f"of_{writes}"
        self.register_buffer(name, torch.from_numpy(weight.copy()))
        self.register_buffer(name + "_bias", torch.from_numpy(_dense(model, reads[2]).copy()))
        options = operator.builtinOptions
        most = {0: None, 1: float("inf"), 3: 6.0}[options.fusedActivationFunction]
        groups = len(weight) if depthwise else 1
        self._steps.append(_Step((reads[0],), writes, name, options.strideH, groups, most))

    def _keep_what_is_asked(self, graph: Any) -> None:
        """The last map of each coarseness that has the channels asked for, and what leads to it."""
        side = int(graph.tensors[self._start].shape[1])
        for depth, channels in enumerate(CHANNELS):
            shape = (1, side >> depth + 1, side >> depth + 1, channels)
            fit = [s.writes for s in self._steps if tuple(graph.tensors[s.writes].shape) == shape]
            block = [w for w in fit if not any(s.weight and s.groups > 1 and s.writes == w
                                               for s in self._steps)]  # fmt: skip
            self._kept.append(block[-1])
        needed, steps = set(self._kept), []
        for step in reversed(self._steps):
            if step.writes in needed:
                needed.update(step.reads)
                steps.append(step)
        self._steps = steps[::-1]


def _dense(model: Any, number: int) -> np.ndarray:
    """A stored tensor as float32, with its zeros where it is sparse (compressed rows)."""
    tensor = model.subgraphs[0].tensors[number]
    stored = np.frombuffer(
        bytes(model.buffers[tensor.buffer].data), (np.float32, np.float16)[tensor.type]
    ).astype(np.float32)
    if tensor.sparsity is None:
        return stored.reshape(tensor.shape)
    rows = tensor.sparsity.dimMetadata[-1]
    begins = np.asarray(rows.arraySegments.values, np.int64)
    columns = np.asarray(rows.arrayIndices.values, np.int64)
    whole = np.zeros((len(begins) - 1, int(tensor.shape[-1])), np.float32)
    whole[np.repeat(np.arange(len(begins) - 1), np.diff(begins)), columns] = stored
    return whole.reshape(tensor.shape)
