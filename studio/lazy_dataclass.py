"""Frozen dataclasses whose methods are shared, or compiled when the first object is made.

``dataclasses`` compiles six methods of each class while its module is imported. For the five
hundred classes of a command, this was two thirds of its start. The classes here are the same to
their users, to ``fields``, ``replace`` and ``asdict``, to pickle and to type checkers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # what type checkers see
else:

    def dataclass(cls=None, /, **options):
        """Make a dataclass, as ``dataclasses.dataclass`` does.

        It makes those that are not frozen, have other options or derive from a dataclass.
        """
        if cls is None:
            return lambda given: dataclass(given, **options)
        is_plain = options.get("frozen") is True and options.keys() <= _SUPPORTED
        if not is_plain or any(map(dataclasses.is_dataclass, cls.__mro__)):
            return dataclasses.dataclass(cls, **options)
        return _frozen(cls, **options)


T = TypeVar("T")
_Getter = Callable[[object], tuple[object, ...]]

_SUPPORTED = {"frozen", "slots", "kw_only"}
_KEY = "__compared__"
"""Attribute of a class with the getter of the fields that are compared."""


def _frozen(cls: type[T], *, frozen: bool, slots: bool = False, kw_only: bool = False) -> type[T]:
    own = set(vars(cls))
    made = dataclasses.dataclass(
        init=False, eq=False, repr=False, slots=slots, kw_only=kw_only
    )(cls)  # fmt: skip
    # A dataclass of the standard library may derive from it, if it is frozen, too.
    made.__dataclass_params__.frozen = frozen  # type: ignore[attr-defined]
    methods: dict[str, Any] = {"__setattr__": _refuse_set, "__delattr__": _refuse_delete}
    if "__init__" not in own:
        methods["__init__"] = _first_init(made)
    if "__repr__" not in own:
        methods["__repr__"] = _repr
    if "__eq__" not in own:
        methods["__eq__"] = _equal
    if "__hash__" not in own or ("__eq__" in own and vars(cls)["__hash__"] is None):
        methods["__hash__"] = _hash
    if slots:
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    for name, method in methods.items():
        setattr(made, name, method)
    return made


def _first_init(cls: type) -> Callable[..., None]:
    """Return an ``__init__`` that replaces itself by the compiled one."""

    def init(self: object, *args: object, **values: object) -> None:
        compiled = _compiled_init(cls)
        cls.__init__ = compiled  # type: ignore[misc]
        compiled(self, *args, **values)

    return init


def _compiled_init(cls: type) -> Callable[..., None]:
    """Compile the ``__init__`` of a class by its fields."""
    fields = dataclasses.fields(cls)
    plain = [_parameter(one) for one in fields if one.init and not one.kw_only]
    named = [_parameter(one) for one in fields if one.init and one.kw_only]
    parameters = ["self", *plain, *(["*", *named] if named else [])]
    body = [f"set_(self, {one.name!r}, {_value(one)})" for one in fields]
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    names: dict[str, Any] = {"MISSING": dataclasses.MISSING, "set_": object.__setattr__}
    for one in fields:
        names |= {f"default_{one.name}": one.default, f"make_{one.name}": one.default_factory}
    lines = [f"def __init__({', '.join(parameters)}):", *(f" {line}" for line in body or ["pass"])]
    exec("\n".join(lines), names)
    found: Callable[..., None] = names["__init__"]
    found.__qualname__ = f"{cls.__qualname__}.__init__"
    return found


def _parameter(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"{field.name}=default_{field.name}"
    has_factory = field.default_factory is not dataclasses.MISSING
    return f"{field.name}=MISSING" if has_factory else field.name


def _value(field: dataclasses.Field[Any]) -> str:
    """Return the code of a field's value, which is its parameter or its default."""
    made = f"make_{field.name}()"
    if field.default_factory is dataclasses.MISSING:
        return field.name if field.init else f"default_{field.name}"
    return f"{made} if {field.name} is MISSING else {field.name}" if field.init else made


def _compared(cls: type) -> _Getter:
    """Return the getter of the fields that are compared, always as a tuple."""
    found: _Getter | None = vars(cls).get(_KEY)
    if found is None:
        names = [field.name for field in dataclasses.fields(cls) if field.compare]
        found = attrgetter(*names) if len(names) > 1 else _few(names)
        setattr(cls, _KEY, found)
    return found


def _few(names: list[str]) -> _Getter:
    return lambda one: tuple(getattr(one, name) for name in names)


def _equal(self: object, other: object) -> object:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = _compared(self.__class__)
    return compared(self) == compared(other)


def _hash(self: object) -> int:
    return hash(_compared(self.__class__)(self))


@recursive_repr("...")
def _repr(self: Any) -> str:
    shown = [field.name for field in dataclasses.fields(self) if field.repr]
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{self.__class__.__qualname__}({values})"


def _refuse_set(self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
