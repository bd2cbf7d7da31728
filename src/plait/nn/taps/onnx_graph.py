"""Tensors inside an ONNX graph as taps."""

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

import torch
from torch import Tensor

from plait.nn.taps.base import LayeredEncoder, Tapped
from plait.nn.taps.digests import digest
from plait.nn.taps.inputs import tensors_of
from plait.nn.taps.layout import as_tokens, check_width_axis
from plait.nn.taps.onnx_cut import cut_graph
from plait.nn.taps.optional import imported

_PURPOSE = "OnnxTaps"


class OnnxTaps(LayeredEncoder):
    """Chosen tensors inside an ONNX graph, computed by onnxruntime on the CPU; nothing behind the last one runs.

    Every encoder, truncated or not, holds the part of the graph that its taps need, and no other weights.

    Args:
        path: The file of the graph.
        outputs: Names of the tensors, in the order of depth; at least one.
        name: What errors and progress bars call the encoder; "" is the name of the graph.
        width_axis: The axis of the tensors along which one token lies, 1 or more. None is the last one, or 1 for a
            tensor of four or more axes.

    Raises:
        ImportError: If the packages of the extra `pretrained` are not installed.
        FileNotFoundError: If there is no such file.
        ValueError: If the file holds no graph or no such tensors; when it is read, if the values are not tensors (one
            for a graph of one input, or a dictionary by the names of the inputs).
    """

    def __init__(
        self, path: str | PathLike[str], outputs: Sequence[str], *, name: str = "", width_axis: int | None = None
    ) -> None:
        check_width_axis(width_axis)
        onnx = imported("onnx", _PURPOSE)
        unreadable = imported("google.protobuf.message", _PURPOSE).DecodeError
        try:
            model = onnx.load(fspath(path))
        except unreadable as error:
            raise ValueError(f"{fspath(path)} holds no ONNX graph: {error}. Give the path of an .onnx file.") from error
        self.outputs, self.width_axis = tuple(outputs), width_axis
        super().__init__(name or model.graph.name or type(self).__name__, len(self.outputs))
        self._open(cut_graph(model, self.outputs))

    def __getstate__(self) -> dict[str, Any]:
        """Another process gets the graph, and opens it anew."""
        return {name: value for name, value in vars(self).items() if name != "session"} | {
            "graph": self.graph.SerializeToString()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open(imported("onnx", _PURPOSE).load_model_from_string(state["graph"]))

    def truncated(self, tap: int) -> "OnnxTaps":
        """The part of the graph up to one of the tensors."""
        self.check_tap(tap)
        shorter = OnnxTaps.__new__(OnnxTaps)
        shorter.__dict__.update(vars(self), outputs=self.outputs[:tap], taps=tap)
        shorter._open(cut_graph(self.graph, shorter.outputs))
        return shorter

    def fingerprint(self) -> str:
        """SHA-256 of the part of the graph that is held, weights and all."""
        content = self.graph.SerializeToString(deterministic=True).hex()
        return digest([type(self).__name__, *self.outputs, str(self.width_axis), content])

    def _open(self, graph: Any) -> None:
        """Keep a graph, ready to run."""
        runtime = imported("onnxruntime", _PURPOSE)
        self.graph = graph
        self.session = runtime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        self.inputs = tuple(one.name for one in self.session.get_inputs())

    def _tapped(self, values: Any) -> list[Tapped]:
        given = {name: tensor.detach().cpu().numpy() for name, tensor in self._named(values).items()}
        runs = zip(self.outputs, self.session.run(list(self.outputs), given), strict=True)
        return [Tapped(as_tokens(self.name, block, torch.from_numpy(found), self.width_axis)) for block, found in runs]

    def _named(self, values: Any) -> Mapping[str, Tensor]:
        """The tensors by the names of the graph's inputs."""
        tensors = tensors_of(values)
        by_name = values if isinstance(values, Mapping) else dict(zip(self.inputs, tensors, strict=False))
        if len(tensors) != len(by_name) or not set(self.inputs) <= set(by_name):
            raise ValueError(
                f"Encoder '{self.name}' reads the inputs {list(self.inputs)} (got {sorted(by_name)}, "
                f"{len(tensors)} tensors). Give a dictionary of tensors by these names, or a tuple in this order."
            )
        return {name: by_name[name] for name in self.inputs}
