"""What a template may say: an allow-list over its syntax tree. Pure."""

from collections.abc import Iterator
from typing import Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from tocsin.templates.filters import ALLOWED, LISTS, TESTS
from tocsin.templates.sandbox import TEXT

_MOST_DEPTH: Final = 40
"""Far more than people write, and far less than recursion or Python's own compiler survives."""

_MOST_LOOPS: Final = 2

_PLAIN: Final = (
    nodes.Output, nodes.TemplateData, nodes.Const, nodes.If, nodes.CondExpr,
    nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul,
    nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Slice, nodes.Keyword,
    nodes.Template, nodes.Getitem,
)  # fmt: skip
_NAMES: Final = {
    nodes.Pow: "**", nodes.Call: "a call", nodes.Import: "import", nodes.FromImport: "import",
    nodes.Include: "include", nodes.Extends: "extends", nodes.Block: "block", nodes.Macro: "macro",
    nodes.CallBlock: "call", nodes.FilterBlock: "a filter block", nodes.With: "with",
    nodes.AssignBlock: "a set block", nodes.ScopedEvalContextModifier: "autoescape",
    nodes.List: "a list", nodes.Tuple: "a tuple", nodes.Dict: "an object",
}  # fmt: skip


class Forbidden(Exception):
    """The template may not say this; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


def read(source: str) -> nodes.Template:
    """The tree of a source that says only what is allowed. Raises `Forbidden`."""
    try:
        tree = TEXT.parse(source)
        _check(tree, 0, 0)
    except TemplateSyntaxError as error:
        raise Forbidden(error.lineno, error.message or "cannot be read") from None
    except RecursionError:
        raise Forbidden(1, "nested too deeply") from None
    return tree


def undeclared(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Each name the template expects from outside, with the line it first stands on."""
    lines: dict[str, int] = {}
    for node in tree.find_all(nodes.Name):
        lines.setdefault(node.name, node.lineno)
    for name in sorted(find_undeclared_variables(tree)):
        yield name, lines.get(name, 1)


def assigned(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Each name the template itself sets, by `set` or as a loop's variable."""
    for name in tree.find_all(nodes.Name):
        if name.ctx == "store":
            yield name.name, name.lineno


def size(tree: nodes.Template) -> int:
    """Its nodes: what compiling it costs."""
    return sum(1 for _ in tree.find_all(nodes.Node))


def _check(node: nodes.Node, depth: int, loops: int) -> None:
    if depth > _MOST_DEPTH:
        raise Forbidden(node.lineno, "nested too deeply")
    if isinstance(node, nodes.For):
        loops += 1
        _check_loop(node, loops)
    elif not isinstance(node, _PLAIN):
        _check_special(node)
    for child in node.iter_child_nodes():
        if not _is_set_of_constants(node, child) and not _is_loop_target(node, child):
            _check(child, depth + 1, loops)


def _check_special(node: nodes.Node) -> None:
    match node:
        case nodes.Name(name=name):
            if name.startswith("_") or name in ("self", "super", "caller", "varargs", "kwargs"):
                raise Forbidden(node.lineno, f"`{name}` is not a variable")
        case nodes.Getattr(attr=attr):
            if attr.startswith("_"):
                raise Forbidden(node.lineno, f"`{attr}` is not a member of data")
        case nodes.Filter(name=name):
            if name not in ALLOWED or node.dyn_args or node.dyn_kwargs:
                raise Forbidden(node.lineno, f"there is no filter `{name}` here")
        case nodes.Test(name=name):
            if name not in TESTS:
                raise Forbidden(node.lineno, f"there is no test `{name}` here")
        case nodes.Assign(target=target):
            if not isinstance(target, nodes.Name):
                raise Forbidden(node.lineno, "set takes one name")
        case nodes.Operand():
            pass
        case _:
            what = _NAMES.get(type(node), type(node).__name__)
            raise Forbidden(node.lineno, f"{what} is not allowed here")


def _check_loop(node: nodes.For, loops: int) -> None:
    if loops > _MOST_LOOPS:
        raise Forbidden(node.lineno, f"more than {_MOST_LOOPS} loops in each other")
    if node.recursive:
        raise Forbidden(node.lineno, "recursive loops are not allowed here")
    for name in (node.target, *node.target.iter_child_nodes()):
        if not isinstance(name, (nodes.Name, nodes.Tuple)) or (
            isinstance(name, nodes.Name) and name.name.startswith("_")
        ):
            raise Forbidden(node.lineno, "a loop's variable is a name, or some names")
    if not _is_data(node.iter):
        raise Forbidden(node.lineno, "loops go over data only")


def _is_data(node: nodes.Node) -> bool:
    match node:
        case nodes.Name():
            return True
        case nodes.Getattr(node=inner) | nodes.Getitem(node=inner):
            return _is_data(inner)
        case nodes.Filter(name=name, node=nodes.Node() as inner):
            return name in LISTS and _is_data(inner)
    return False


def _is_set_of_constants(parent: nodes.Node, node: nodes.Node) -> bool:
    """`status in ("paid", "sent")`: the one place for a list of the template's own."""
    return (
        isinstance(parent, nodes.Operand)
        and parent.op in ("in", "notin")
        and isinstance(node, (nodes.List, nodes.Tuple))
        and all(isinstance(item, nodes.Const) for item in node.items)
    )


def _is_loop_target(parent: nodes.Node, node: nodes.Node) -> bool:
    return isinstance(parent, nodes.For) and node is parent.target
