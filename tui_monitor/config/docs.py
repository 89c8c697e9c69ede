"""The documentation of every setting, read from the docstrings under the fields."""

import ast
import inspect
import sys
from functools import cache


@cache
def _read(module: str) -> dict[tuple[str, str], str]:
    """(class, attribute) → docstring, of one module; attribute `""` is the class itself.

    Read from the source when it is wanted, because having pydantic look at every start costs 30 ms.
    """
    docs: dict[tuple[str, str], str] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if not isinstance(node, ast.ClassDef):
            continue
        docs[node.name, ""] = inspect.cleandoc(ast.get_docstring(node) or "")
        for field, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                docs[node.name, field.target.id] = _text(text)
    return docs


def _text(node: ast.stmt) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return inspect.cleandoc(text)
        case _:
            return ""


def section_doc(model: type) -> str:
    """What a section is about."""
    return _read(model.__module__)[model.__name__, ""]


def key_doc(model: type, attribute: str) -> str:
    """What a key means, said where it is declared; empty where nobody wrote it down."""
    of = (base for base in model.__mro__ if attribute in inspect.get_annotations(base))
    declaring = next(of, model)
    return _read(declaring.__module__).get((declaring.__name__, attribute), "")
