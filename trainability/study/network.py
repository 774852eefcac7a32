"""Which networks are studied: fully connected ones, or copies of a module that the user builds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from trainability.activations import RELU
from trainability.checks import is_number, plain, shown
from trainability.errors import StudyError, refuse

if TYPE_CHECKING:
    from torch import nn

    from trainability.modules.blueprint import Blueprint
    from trainability.tasks.base import Task

SHAPE = ("width", "depth")
"""Axes of a study that are arguments of a module's function, where it has them."""
FULLY_CONNECTED = "fully connected"
"""The column `network` of networks that are no copies of a module."""
AS_BUILT = "as built"
"""The column `activation` of copies of a module, whose function says what stands between layers."""
_BUILDERS: dict[tuple[str, str], Callable[..., Any]] = {}


class Module:
    """Networks that are copies of one module of the user's, each drawn by itself.

    The function lies in the study file and returns a new `torch.nn.Module`. Its arguments are
    settings; several of one are an axis:

        def small_cnn(channels: int, batch_norm: bool = True) -> nn.Module: ...

        network=Module(small_cnn, channels=8)
        axes={"network": Module.grid(small_cnn, channels=[4, 8, 16])}

    Arguments called `width` and `depth` are the study's own axes: `axes={"width": [4, 8]}` calls
    the function with each. Otherwise a module has neither, and the study gives none.

    The study's scheme draws the Linear and convolution layers of every copy, as
    `trainability.apply` does, in the order in which data flows; whatever else the module has
    keeps what its function draws, from a random stream of each copy. With `TorchOwn()` all does.
    The module gets the training inputs, in the shapes that the task says (`Task.input_shapes`),
    and returns its outputs, one row of d_out numbers per example, in whatever shape.

    Copies are told apart by the function's name, its arguments and its source: with the functions
    and classes of yours that it uses, and what numbers, containers, arrays and tensors hold. So a
    function that changes makes new cells. JSON can't hold code: a study.json refers to it, and can
    be reported by itself; to be run it wants the study file.

    Args:
        build: A function with a name, or a class; called with the arguments.
        arguments: Numbers, texts, truth values, None, or tuples of them.

    Raises:
        StudyError: Lists every problem at once.
    """

    def __init__(self, build: Callable[..., nn.Module], /, **arguments: Any) -> None:
        name = getattr(build, "__name__", None)
        if not callable(build) or not name or name == "<lambda>" or not _is_code(build):
            raise StudyError(
                f"Module wants a function or class that returns a torch.nn.Module, got "
                f"{shown(build)}; write def build(): return ... and Module(build)"
            )
        refuse(_argument_problems(name, build, arguments), StudyError)
        self.name: str = name
        self.arguments: dict[str, Any] = {
            key: _plain(value) for key, value in sorted(arguments.items())
        }
        self._build: Callable[..., nn.Module] | None = build
        self._blueprints: dict[Any, tuple[Task, Blueprint]] = {}

    @classmethod
    def grid(cls, build: Callable[..., nn.Module], /, **arguments: Any) -> list[Module]:
        """Modules for all combinations of arguments, of which lists vary: values of an axis."""
        lists = {
            name: value if isinstance(value, list | range) else [value]
            for name, value in arguments.items()
        }
        return [
            cls(build, **dict(zip(lists, values, strict=True)))
            for values in product(*lists.values())
        ]

    @classmethod
    def registered(
        cls, name: str, source: str, arguments: Mapping[str, Any], takes: Collection[str] = ()
    ) -> Module:
        """The module that `record` describes, with its function if a study file was loaded."""
        module = cls.__new__(cls)
        module.name, module.source, module.takes = name, source, frozenset(takes)
        module.arguments = {key: _plain(value) for key, value in arguments.items()}
        module._build = _BUILDERS.get((name, source))
        module._blueprints = {}
        return module

    def with_arguments(self, without: Collection[str] = (), /, **changes: Any) -> Module:
        """Copies by the same function, some of its arguments others, or left out.

        Raises:
            StudyError: If they are no arguments of it.
        """
        kept = {name: value for name, value in self.arguments.items() if name not in without}
        arguments = kept | changes
        if self._build is None:
            module = Module.registered(self.name, self.source, arguments, self.takes)
        else:
            module = Module(self._build, **arguments)
            # Cost a look at the source, or a trial of the module.
            module.source, module.takes = self.source, self.takes
        module._blueprints = self._blueprints
        return module

    @cached_property
    def source(self) -> str:
        """Digest of the function's source, and of whatever of the user's it uses."""
        assert self._build is not None
        from trainability.study.source import source_digest  # what is read only of modules

        digest = source_digest(self._build)
        _BUILDERS[self.name, digest] = self._build
        return digest

    @property
    def has_code(self) -> bool:
        """Whether the function is here, and not only its name."""
        return self._build is not None

    @property
    def record(self) -> dict[str, Any]:
        """As JSON data: what `registered` takes."""
        return {
            "type": "Module", "name": self.name, "source": self.source,
            "arguments": self.arguments, "takes": sorted(self.takes),
        }  # fmt: skip

    @cached_property
    def takes(self) -> frozenset[str]:
        """Which of the study's axes `width` and `depth` the function takes."""
        assert self._build is not None
        names = inspect.signature(self._build).parameters
        return frozenset(name for name in SHAPE if name in names and name not in self.arguments)

    def build(self, width: Any = None, depth: int | None = None) -> nn.Module:
        """A new module.

        Args:
            width: What the study says, where the function takes it.
            depth: Likewise.

        Raises:
            StudyError: If the function is not here.
        """
        if self._build is None:
            raise StudyError(
                f"the function {self.name} that builds the networks is not here: JSON can't hold "
                "code; run the study file that declares it"
            )
        given = {"width": width, "depth": depth}
        own = {name: given[name] for name in self.takes if given[name] is not None}
        return self._build(**self.arguments, **own)

    def blueprint(self, task: Task, width: Any = None, depth: int | None = None) -> Blueprint:
        """What all copies have in common on a task; found out once.

        Raises:
            InputError: If the module can't be studied on it; lists every problem.
        """
        from trainability.modules.blueprint import draw_up

        key = (id(task), width, depth, tuple(self.arguments.items()))
        if key not in self._blueprints:
            self._blueprints[key] = task, draw_up(lambda: self.build(width, depth), task)
        return self._blueprints[key][1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Module) and self.record == other.record

    def __hash__(self) -> int:
        return hash((self.name, self.source))

    def __str__(self) -> str:
        """As one would call the function."""
        settings = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.name}({settings})"

    def __repr__(self) -> str:
        settings = "".join(f", {name}={value!r}" for name, value in self.arguments.items())
        return f"Module({self.name}{settings})"

    def __getstate__(self) -> dict[str, Any]:
        # Where it arrives there may be no file with the source.
        return vars(self) | {"source": self.source, "takes": self.takes, "_blueprints": {}}


def networks_of(axes: Mapping[str, Any], fixed: Mapping[str, Any]) -> list[Module | None]:
    """The networks of a declaration, as far as they are networks; [None] where nothing is said.

    Args:
        axes: What varies.
        fixed: What does not.
    """
    values = axes.get("network", [fixed["network"]])
    values = values if isinstance(values, list | tuple) else []
    return [value for value in values if value is None or isinstance(value, Module)] or [None]


def module_problems(axes: Mapping[str, Any], fixed: Mapping[str, Any]) -> list[str]:
    """What a declaration gives that no module of it takes; arguments as for `networks_of`."""
    networks = networks_of(axes, fixed)
    modules = [network for network in networks if network is not None]
    if len(modules) < len(networks):  # the others take all that a study can say
        return []
    named = ", ".join(dict.fromkeys(module.name for module in modules))
    problems = [
        f"{name} is given, but {named} takes no argument {name}; leave it out, or give the "
        f"function one"
        for name in SHAPE
        if (name in axes or fixed[name] is not None)
        and not any(name in module.takes for module in modules)
    ]
    if "activation" in axes or fixed["activation"] != RELU:
        problems.append(
            f"activation is of fully connected networks; in {named} it is up to the function: "
            f"leave it out"
        )
    return problems


def _is_code(build: Any) -> bool:
    return inspect.isclass(build) or inspect.isfunction(build)


def _argument_problems(name: str, build: Any, arguments: Mapping[str, Any]) -> list[str]:
    problems = [
        f"Module argument {key} must be a number, a text, a truth value, None or a tuple of such, "
        f"got {shown(value)}"
        + (f"; for an axis write Module.grid({name}, {key}=...)" if isinstance(value, list) else "")
        for key, value in arguments.items()
        if not _is_plain(value)
    ]
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):
        return problems
    accepted = signature.parameters
    if not any(parameter.kind == parameter.VAR_KEYWORD for parameter in accepted.values()):
        problems += [
            f"{name} has no argument {key}; it has {', '.join(accepted) or 'none'}"
            for key in arguments
            if key not in accepted
        ]
    missing = [
        parameter.name
        for parameter in accepted.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        and parameter.name not in arguments
        and parameter.name not in SHAPE
    ]
    if missing:
        problems.append(
            f"{name} needs {', '.join(missing)}: write Module({name}, {missing[0]}=...)"
        )
    return problems


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_is_plain(entry) for entry in value)
    return value is None or isinstance(value, bool | str) or is_number(plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(_plain(entry) for entry in value)
    return plain(value)
