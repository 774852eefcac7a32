"""Odd values of every sort, and documents, texts and command lines that are made odd at random."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from trainability import Adam, Study
from trainability.domains import Ball, Box, Points
from trainability.errors import InputError
from trainability.optimizers import SGD
from trainability.schemes import DataDependent, He, Orthogonal, SignFlipped, UnitSphere
from trainability.schemes.randomized_asymmetric import RandomizedAsymmetric
from trainability.study import Published
from trainability.tasks import AbsoluteValue, BrokenAbsoluteValue, Function, Table
from trainability.tuning import Choice, Integers, Range, SuccessRate, Tuning
from trainability.tuning.objectives import MedianSteps, SmallestWidth


class Mute:
    """Its repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Touchy:
    """Everything that one may ask of it fails."""

    def _fail(self, *_: Any) -> Any:
        raise ArithmeticError("don't touch")

    __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __float__ = __lt__ = _fail  # type: ignore[assignment]


class Shout(str):
    """A text of another class."""


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def cyclic() -> list:
    value: list = []
    value.append(value)
    return value


def square(x):
    return x[:, 0] ** 2


NUMBERS = [
    0, -0.0, 1, 1.0, 2, 3, 7, -1, 0.5, 10**6, 10**9, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**64,
    10**400, -(10**400), 10**5000, 1e-320, 1e-40, 1e37, 1e38, 1e308, -1e308, 5e-324, math.inf,
    -math.inf, math.nan, True, False, 1 + 2j, Decimal("1.5"), Fraction(1, 3), np.float32(0.1),
    np.float64(2), np.int64(4), np.int8(3), np.uint64(2**63), np.bool_(True), np.float64("nan"),
    np.longdouble(1), np.datetime64("2020-01-01"), np.array(3), np.array([1, 2]), np.array([]),
]  # fmt: skip
TEXTS = [
    "", " ", "a", "He", "x" * 300, "x" * 100_000, "con", "nul", "lpt1", "a/b", "../up", "a\0b",
    "$x^$", "$(rm -rf ~)", "[/a]", "[bold]", "\x1b[31m", "\ud800", "é", "e\u0301", "İ", "💥" * 40,
    "\n", "a\nb", "-", "--help", "{}", "%s", "null", "1e400", "nan", "\u202eevil", "normal",
]  # fmt: skip
OTHERS: list[Callable[[], Any]] = [
    lambda: None, list, tuple, dict, set, object, Mute, Touchy, lambda: Mute, lambda: len,
    lambda: b"bytes", lambda: Shout("normal"), lambda: nested(3), lambda: nested(50_000), cyclic,
    lambda: range(0), lambda: range(3), lambda: range(10**9), lambda: range(10**30),
    lambda: iter([1]), lambda: [None], lambda: [[1, 2], [3]], lambda: {"a": 1}, lambda: {1: 2},
    lambda: [Mute()], lambda: [Touchy()], lambda: {"width": Touchy()}, lambda: ...,
    He, UnitSphere, DataDependent, AbsoluteValue, lambda: Adam(learning_rate=1e-3), lambda: He,
    lambda: AbsoluteValue, lambda: Box(1, 1.0), lambda: Points([[0.0], [1.0]]),
    lambda: Range(0.1, 1), lambda: SuccessRate(2), lambda: Path("x"), lambda: (2, 0.5),
    lambda: [(2, 0.5)], lambda: [2], lambda: [2, 2], lambda: [1, 1.0], lambda: ["a"],
    lambda: np.random.default_rng(0), lambda: np.zeros((2, 2)), lambda: np.array([He()]),
]  # fmt: skip


def odd(rng: np.random.Generator) -> Any:
    """A value that is seldom what is wanted."""
    kind = rng.integers(5)
    if kind <= 1:
        return NUMBERS[rng.integers(len(NUMBERS))]
    if kind == 2:
        return TEXTS[rng.integers(len(TEXTS))]
    if kind == 3:
        return OTHERS[rng.integers(len(OTHERS))]()
    return [odd(rng) for _ in range(rng.integers(1, 4))]


STUDY: dict[str, Any] = dict(
    name="tiny",
    question="Is it small?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [He(), UnitSphere()], "width": [2, 3]},
    optimizer=Adam(learning_rate=5e-3),
    max_steps=20,
    tolerance=1e-3,
    replicates=256,
    seed=0,
    depth=2,
    batch_size=None,
    published=(),
)
TUNING: dict[str, Any] = dict(
    name="tiny",
    question="Which bias?",
    task=AbsoluteValue(n_train=16),
    scheme=He(bias_std=0.5),
    optimizer=Adam(learning_rate=0.02),
    vary={"bias_std": Range(0.01, 10, log=True)},
    objective=SuccessRate(width=4),
    max_steps=20,
    tolerance=1e-2,
    budget=2560,
    fresh_replicates=256,
    max_born_dead=None,
    seed=0,
)
ARCHITECTURE: dict[str, Any] = TUNING | dict(
    vary={
        "width": Integers(2, 8),
        "scheme": Choice([He(), DataDependent()]),
        "scheme.bias_std": Range(0.01, 10, log=True),
    },
    objective=SuccessRate(),
    width=4,
)
_PLACES = (
    "bias_std", "learning_rate", "gain", 3, "width", "depth", "scheme", "scheme.bias_std",
    "penalty", "penalty.coefficient", "optimizer.schedule", "scheme.", ".", "", "activation",
    "loss", "task",
)  # fmt: skip
_PUBLISHED: dict[str, Any] = dict(
    source="Table 1", quantity="success_rate", scheme=He(), values=[(2, 0.5)], n=10, depth=2
)
_CLASSES: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (Study, STUDY),
    (Study, STUDY),
    (Tuning, TUNING),
    (He, dict(distribution="normal", bias_std=0.1)),
    (DataDependent, dict(sigma_in=1.0, sigma_e=0.1)),
    (Orthogonal, dict(gain=1.0, bias_std=0.1)),
    (RandomizedAsymmetric, dict(sigma=0.6)),
    (SignFlipped, dict(scheme=He())),
    (Adam, dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8)),
    (SGD, dict(learning_rate=1e-3, momentum=0.9)),
    (AbsoluteValue, dict(n_train=16)),
    (BrokenAbsoluteValue, dict(n_train=16)),
    (Function, dict(name="f", function=square, domain=Box(1, 1.0), n_train=9, need=1)),
    (Table, dict(path="a.csv", features=["a"], target="y", rows=None)),
    (Table, dict(dataset="diabetes", rows=20)),
    (Ball, dict(d=2, radius=1.0)),
    (Box, dict(d=2, half_width=(1.0, 2.0), center=(0.0, 1.0))),
    (Points, dict(x=[[0.0], [1.0]])),
    (Published, _PUBLISHED),
    (Tuning, ARCHITECTURE),
    (Range, dict(low=0.1, high=1.0, log=False, step=None)),
    (Integers, dict(low=2, high=8, log=False, step=1)),
    (Choice, dict(values=["normal", "uniform"])),
    (SuccessRate, dict(width=4)),
    (SuccessRate, dict(width=(8, 4))),
    (MedianSteps, dict(width=4)),
    (SmallestWidth, dict(choices=[2, 4], rate=0.9)),
]


def declaration(rng: np.random.Generator) -> Callable[[], Any]:
    """A class with some of its settings made odd; a study also with odd axes."""
    kind, settings = _CLASSES[rng.integers(len(_CLASSES))]
    settings = dict(settings)
    for _ in range(rng.integers(1, 3)):
        settings[_one_of(rng, list(settings))] = odd(rng)
    if kind is Study and rng.random() < 0.6 and isinstance(settings["axes"], dict):
        name = _one_of(rng, ["task", "scheme", "width", "depth", "optimizer", "batch_size",
                             "max_steps", "tolerance", "widht", 3, None, ("a",)])  # fmt: skip
        settings["axes"] = {**settings["axes"], name: odd(rng)}
    if kind is Tuning and rng.random() < 0.3:
        settings["vary"] = {_one_of(rng, _PLACES): _dimension(rng)}
    elif kind is Tuning and rng.random() < 0.4 and isinstance(settings["vary"], dict):
        settings["vary"] = {**settings["vary"], _one_of(rng, _PLACES): _dimension(rng)}

    def declare() -> None:
        made = kind(**settings)
        str(made)
        if isinstance(made, Study):
            assert Study.from_json(made.to_json()).cells()[0].id == made.cells()[0].id
            assert len({cell.id for cell in made.cells()}) == len(made.cells())
        if isinstance(made, Tuning):
            assert Tuning.from_json(made.to_json()).search_id == made.search_id
        if isinstance(made, AbsoluteValue | BrokenAbsoluteValue | Function) and made.n_train < 99:
            made.fingerprint()

    return declare


def _dimension(rng: np.random.Generator) -> Any:
    """Something odd, or a sound dimension of something odd."""
    made = rng.integers(4)
    if made == 0:
        return Integers(int(rng.integers(-2, 3)), int(rng.integers(3, 10**6)))
    if made == 1:
        return Range(-0.5, float(rng.uniform(0, 3)))
    if made == 2:
        try:
            return Choice([odd(rng), odd(rng)])
        except InputError:
            return Choice([None, He()])
    return odd(rng)


def document(rng: np.random.Generator, whole: str) -> str:
    """A JSON document with something about it changed."""
    if rng.random() < 0.3:
        return _cut(rng, whole)
    record = json.loads(whole)
    for _ in range(rng.integers(1, 4)):
        places = list(_places(record))
        holder, key = places[rng.integers(len(places))]
        change = rng.integers(5)
        if change == 0 and isinstance(holder, dict):
            holder[_one_of(rng, [*TEXTS[:12], "type", "study"])] = holder.pop(key)
        elif change == 1:
            del holder[key]
        elif change == 2:
            other, name = places[rng.integers(len(places))]
            holder[key] = copy.deepcopy(other[name]) if name in _keys(other) else None
        else:
            holder[key] = _odd_json(rng)
        if not list(_places(record)):
            break
    try:
        return json.dumps(record)
    except (ValueError, RecursionError):
        return whole.replace("1", "9" * 5000, 1)


def _keys(holder: Any) -> list:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def _places(record: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(record, dict | list):
        for key in _keys(record):
            yield record, key
            yield from _places(record[key])


def _odd_json(rng: np.random.Generator) -> Any:
    kind = rng.integers(4)
    if kind == 0:
        values = [
            v for v in NUMBERS if isinstance(v, int | float) and not isinstance(v, np.generic)
        ]
        return values[rng.integers(len(values))]
    if kind == 1:
        return TEXTS[rng.integers(len(TEXTS))]
    if kind == 2:
        return _one_of(rng, [None, [], {}, [[]], nested(40), {"type": "He"}, {"type": "Study"},
                             {"type": ["He"]}, {"type": "Function", "name": "f"}, {"type": None},
                             {"type": "SignFlipped", "scheme": {"type": "He"}},
                             {"type": "Points", "x": [[1], [2, 3]]}])  # fmt: skip
    return [_odd_json(rng) for _ in range(rng.integers(3))]


_PIECES = ["{", "}", "[", "]", ",", ":", '"', "NaN", "Infinity", "-", "1e999", "9" * 5000, "\\u",
           "\0", '"study": 1,', '"name": "b",', "[" * 100_000, "\ud800", "null",
           "true"]  # fmt: skip


def _cut(rng: np.random.Generator, text: str) -> str:
    """A text with a piece cut out, put in, or both."""
    start = int(rng.integers(len(text)))
    stop = start + int(rng.integers(0, 20))
    return text[:start] + _one_of(rng, ["", *_PIECES]) + text[stop:]


SCHEME_TEXTS = ["He(bias_std=1.0)", "He('uniform', bias_std=0.1)", "SignFlipped(He())",
                "DataDependent(sigma_in=None, sigma_e=0.1)", "UnitSphere",
                "Orthogonal(gain=2)"]  # fmt: skip
_TOKENS = ["(", ")", ",", "=", "**", "*", "-" * 3000, "(" * 500, "[" * 200, "9" * 5000, "1e400",
           "lambda: 1", "__import__('os').system('touch ran')", "open('ran', 'w')", "None", "True",
           "'", '"""', "\\d", "\n", "\0", "x" * 300, "He", "He()", "bias_std=", "{1: 2}", "f'{1}'",
           "1+2j", "...", "#", ";", "\ud800", "é", "not ", "if", "await x", ":=",
           "SignFlipped(" * 40]  # fmt: skip


def scheme_text(rng: np.random.Generator) -> str:
    """A scheme's text with tokens cut out and put in."""
    text = _one_of(rng, SCHEME_TEXTS)
    for _ in range(rng.integers(1, 4)):
        start = int(rng.integers(len(text) + 1))
        stop = start + int(rng.integers(0, 6))
        text = text[:start] + _one_of(rng, ["", *_TOKENS]) + text[stop:]
    return text


_ARGUMENTS = ["0", "-1", "1", "2", "1.5", "1e400", "nan", "inf", "9" * 30, "9" * 5000, "", " ", "x",
              "x" * 300, "a=b", "=", "He", "He(bias_std=", "2,3", "2,,3", "2,3" * 900, "-" * 3000,
              "(2,3)", "a\udcffb", "../..", "tiny.json", "tiny.py", "no.py", "folder.py",
              "~nouser/x.py", "x.png", "no/x.png", "folder.png", "x" * 300 + ".png", "٣", "0x10",
              "1_0", "\n",
              "[/a]", "$(touch ran)", "100000000"]  # fmt: skip
_COMMANDS: dict[str, list[str]] = {
    "theory": ["--scheme", "--widths", "--width", "--depth", "--need", "--restarts", "--counts",
               "--distances", "--d", "--ball", "--box", "--from", "--figure", "--json"],
    "census": ["--width", "--depth", "--networks", "--d", "--ball", "--box", "--seed", "--from",
               "--figure", "--json"],
    "tune": ["--cpus-per-trial", "--gpus-per-trial", "--label", "--max-concurrent", "--engine",
             "--max-failures"],
    "run": ["--replicates", "--precision", "--refine", "--cpus-per-trial", "--gpus-per-trial",
            "--label", "--max-concurrent", "--engine", "--max-failures", "--dry-run"],
    "status": ["--json"],
    "bench": ["--quick", "--figure", "--json"],
}  # fmt: skip
_FLAGS = {"--counts", "--json", "--dry-run", "--quick"}


def command_line(rng: np.random.Generator) -> list[str]:
    """A command with options and values that are seldom what is wanted."""
    command = _one_of(rng, list(_COMMANDS))
    words = [command]
    if command in ("tune", "run", "status") or command == "census":
        wanted = {"census": ["He", "UnitSphere"], "tune": ["tuning.json"]}
        usual = wanted.get(command, ["tiny.json", "tiny.py"])
        words += [_one_of(rng, usual if rng.random() < 0.7 else _ARGUMENTS)]
    for _ in range(rng.integers(0, 4)):
        option = _one_of(rng, _COMMANDS[command])
        words += [option] if option in _FLAGS else [option, _one_of(rng, _ARGUMENTS)]
    return words


def _one_of(rng: np.random.Generator, values: list) -> Any:
    return values[rng.integers(len(values))]
