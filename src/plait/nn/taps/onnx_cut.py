"""The part of an ONNX graph that some of its tensors need."""

from collections.abc import Iterable, Sequence
from typing import Any

from plait.nn.taps.optional import imported

_SHOWN = 30  # names that an error lists


def cut_graph(model: Any, outputs: Sequence[str]) -> Any:
    """A copy of a model with other outputs, without the nodes, weights and inputs that they do not need.

    Args:
        model: An onnx.ModelProto.
        outputs: Names of tensors that nodes of the graph give.

    Raises:
        ValueError: If there is no such tensor, one is named twice, or none is named.
    """
    onnx = imported("onnx", "OnnxTaps")
    makers = {name: node for node in model.graph.node for name in node.output if name}
    lost = [name for name in outputs if name not in makers]
    if lost or not outputs or len(set(outputs)) != len(outputs):
        more = f" and {len(makers) - _SHOWN} more" if len(makers) > _SHOWN else ""
        raise ValueError(
            f"The outputs {list(outputs)} cannot be taps of graph '{model.graph.name}' (not in it: {lost}). Name at "
            f"least one of its tensors, each once: {', '.join(list(makers)[:_SHOWN])}{more}."
        )
    needed = _needed(makers, outputs)
    found = onnx.ModelProto()
    found.CopyFrom(model)
    graph = found.graph
    _keep(graph.node, [node for node in graph.node if needed.intersection(node.output)])
    for tensors in (graph.initializer, graph.input, graph.value_info):
        _keep(tensors, [tensor for tensor in tensors if tensor.name in needed])
    _keep(graph.sparse_initializer, [one for one in graph.sparse_initializer if one.values.name in needed])
    _keep(graph.output, [onnx.ValueInfoProto(name=name) for name in outputs])
    return found


def _needed(makers: dict[str, Any], outputs: Iterable[str]) -> set[str]:
    """Names of all tensors from which the outputs are made, themselves included."""
    needed: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += _read(makers[name]) if name in makers else []
    return needed


def _read(node: Any) -> list[str]:
    """Names that a node reads, those in its branches and loops too."""
    inner = [graph for attribute in node.attribute for graph in (attribute.g, *attribute.graphs)]
    return [*node.input, *(name for graph in inner for part in graph.node for name in _read(part))]


def _keep(field: Any, kept: Sequence[Any]) -> None:
    """Replace the content of a repeated field."""
    copies = list(kept)
    del field[:]
    field.extend(copies)
