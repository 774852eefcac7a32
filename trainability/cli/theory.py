"""`trainability theory`: what is known of schemes before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.table import Table

from trainability.checks import int_problem, shown
from trainability.cli.app import app, err, examples, out
from trainability.cli.documents import JsonOption
from trainability.cli.inputs import (
    BallOption,
    BoxOption,
    FigureOption,
    FromOption,
    InputsOption,
    TaskOption,
    chosen_domain,
    chosen_scheme,
    chosen_task,
    chosen_width,
    chosen_widths,
    figure_problems,
    shape_problems,
    with_error,
)
from trainability.cli.tables import Column, new_table, titled
from trainability.domains import Domain
from trainability.errors import InputError, refuse
from trainability.schemes import DataDependent, Scheme
from trainability.study.widths import Width, layer_widths, one_width, own_depth
from trainability.tasks import AbsoluteValue, Task

_WIDTHS = "2,3,4,6,8,12,16,20"
_NEED = 2
"""Of |x|, the paper's task."""
_SCHEMES = ("UnitSphere", "He(bias_std=1.0)", "TorchDefault", "RandomizedAsymmetric")


@app.command(
    rich_help_panel="Before training",
    epilog=examples(
        "theory",
        "theory 'He(bias_std=1.0)' --widths 2,4,8",
        "theory --depth 4 --restarts 10 --json",
        "theory --success --scheme UnitSphere --figure success.png",
    ),
)
def theory(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCHEME]...", help="Schemes as in a study, as --scheme."),
    ] = None,
    scheme: Annotated[
        list[str] | None,
        typer.Option(
            help="A scheme as in a study, e.g. 'He(bias_std=1.0)'; repeatable.",
            show_default=", ".join(_SCHEMES),
        ),
    ] = None,
    widths: Annotated[
        str | None,
        typer.Option(help="Several widths, with commas.", show_default=_WIDTHS),
    ] = None,
    width: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WIDTHS", help="One network: with commas every hidden layer, 16,4; repeatable."
        ),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            help="Affine layers; 2 is a shallow network.", show_default="2, or of --width"
        ),
    ] = None,
    need: Annotated[
        int | None,
        typer.Option(
            help="Active neurons that the task needs.",
            show_default="the task's, or 2; of deep networks 1",
        ),
    ] = None,
    restarts: Annotated[
        int, typer.Option(metavar="K", help="Bound also that all of K networks are born dead.")
    ] = 1,
    counts: Annotated[
        bool, typer.Option("--counts", help="Show how many neurons are active, with what chance.")
    ] = False,
    distances: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS",
            help="Moments of a DataDependent neuron so far from its training point, with commas.",
        ),
    ] = None,
    success: Annotated[
        bool,
        typer.Option("--success", help="Predict, too, how often Adam learns |x| (a few seconds)."),
    ] = False,
    task: TaskOption = None,
    d: InputsOption = 1,
    ball: BallOption = None,
    box: BoxOption = None,
    source: FromOption = None,
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """Theoretical trainability of schemes over widths; trains nothing.

    Deep networks come with the bounds of the probability that a network is born dead.
    """
    learned = chosen_task(task, source)
    domain = chosen_domain(d, ball, box, learned)
    texts = [*(named or ()), *(scheme or ())] or _SCHEMES
    schemes = [chosen_scheme(text, source) for text in texts]
    wide: list[Width] = [chosen_width(text) for text in width or ()]
    if widths is not None or not wide:
        wide = [*chosen_widths(_WIDTHS if widths is None else widths), *wide]
    far = None if distances is None else _numbers("--distances", distances)
    problems = shape_problems(wide, depth)
    problems += [] if need is None else int_problem("--need", need, 1)
    deepest = max(own_depth(one, depth) for one in wide)
    if deepest > 2 and need is not None and need > 1:
        problems.append("--need above 1 is proven for shallow networks only; use --need 1")
    problems += int_problem("--restarts", restarts, 1)
    by_data = [one for one in schemes if isinstance(one, DataDependent)]
    if far is not None and not by_data:
        problems.append("--distances are for DataDependent; add --scheme DataDependent")
    is_absolute = learned is None or isinstance(learned, AbsoluteValue)
    shape = (deepest, need or 2, d, ball, box)
    if success and (shape != (2, 2, 1, None, None) or not is_absolute):
        problems.append(
            "--success is known of |x| on [-sqrt 3, sqrt 3] and shallow networks: it goes with "
            "--depth 2 --need 2 and no --d, --ball, --box or other --task"
        )
    refuse(problems + figure_problems(figure))
    needed = _NEED if learned is None else learned.need
    # 8 and 8,8 at depth 3 are the same.
    networks = list(dict.fromkeys(layer_widths(one, own_depth(one, depth)) for one in wide))
    entries = [
        _entry(one, domain, hidden, need or (needed if len(hidden) == 1 else 1), restarts)
        for one in schemes
        for hidden in networks
    ]
    if success:
        pairs = [(one, hidden[0]) for one in schemes for hidden in networks]
        for entry, (one, first) in zip(entries, pairs, strict=True):
            entry |= _success(one, first, learned or AbsoluteValue())
    moments = [entry for one in by_data for entry in _moments(one, domain.d, far)] if far else []
    if figure:
        _draw(entries, figure)
    if as_json:
        print(json.dumps({"theory": entries} | ({"moments": moments} if far else {})))
        return
    for deep in sorted({entry["depth"] for entry in entries}):
        part = [entry for entry in entries if entry["depth"] == deep]
        _show(
            part,
            deep,
            part[0]["need"],
            restarts,
            f"inputs in {domain.described}" if learned is None else f"for {learned}",
        )
    if success:
        _show_success(entries)
    if counts:
        _show_counts(entries)
    if moments:
        _show_moments(moments)


def _entry(
    scheme: Scheme, domain: Domain, hidden: tuple[int, ...], need: int, restarts: int
) -> dict[str, Any]:
    from trainability.analysis.expected import closed_trainability
    from trainability.theory import (
        active_count_pmf,
        born_dead_network_probability,
        born_dead_probability,
        permanent_probability,
        trainability_probability,
    )

    first, width = hidden[0], one_width(hidden)
    dead = born_dead_probability(scheme, domain, first)
    network = born_dead_network_probability(scheme, domain, hidden)
    enough = closed_trainability(scheme, domain, hidden, [need] * len(hidden))
    chain, product = (
        _or_reason(partial(trainability_probability, scheme, domain, hidden, need, method=method))
        for method in ("chain", "product")
    )
    law = _or_reason(lambda: active_count_pmf(scheme, domain, first))
    # Of equal layers one number, also of a layer that a shallow network might get.
    later = [(first, first)] if isinstance(width, int) else list(pairwise(hidden))
    permanent = [
        _float(_or_reason(partial(permanent_probability, scheme, *sizes))) for sizes in later
    ]
    return {
        "scheme": str(scheme),
        "width": width,
        "depth": len(hidden) + 1,
        "need": need,
        "domain": repr(domain),
        "trainability": float(enough),
        "trainability_se": enough.standard_error,
        "method": enough.described,
        "trainability_chain": _float(chain),
        "trainability_product": _float(product),
        "neuron_born_dead": float(dead),
        "neuron_born_dead_se": dead.standard_error,
        "network_born_dead": float(network),
        "network_born_dead_se": network.standard_error,
        **_bounds(scheme, domain, hidden, restarts),
        "active_count_pmf": None if isinstance(law, str) else law.pmf.tolist(),
        "later_neuron_permanently_dead": permanent[0] if len(permanent) == 1 else permanent,
    }


def _bounds(scheme: Scheme, domain: Domain, hidden: Sequence[int], restarts: int) -> dict[str, Any]:
    """The bounds that hold, and why the others do not."""
    from trainability.theory import (
        born_dead_lower_bound,
        born_dead_lower_bound_1d,
        born_dead_upper_bound,
        non_convergence_lower_bound,
    )

    bounds = {
        "upper": _or_reason(lambda: born_dead_upper_bound(scheme, domain, hidden)),
        "lower": _or_reason(lambda: born_dead_lower_bound(scheme, domain, hidden)),
        "lower_1d": _or_reason(lambda: born_dead_lower_bound_1d(scheme, domain, hidden)),
        "all_restarts_lower": _or_reason(
            lambda: non_convergence_lower_bound(scheme, domain, hidden, restarts)
        ),
    }
    return {
        **{f"network_born_dead_{name}": _float(bound) for name, bound in bounds.items()},
        "restarts": restarts,
        "refused": {name: bound for name, bound in bounds.items() if isinstance(bound, str)},
    }


def _success(scheme: Scheme, width: int, task: Task) -> dict[str, Any]:
    """Predicted success on |x|, and the bracket around it that the race of a neuron gives."""
    from trainability.theory import neuron_fates, success_probability

    x, y = task.data()
    p = success_probability(scheme, x, y, width, 1e-3, task.need)
    fates = neuron_fates(scheme, x, y, width)
    return {
        "predicted_success": float(p),
        "predicted_success_se": p.standard_error,
        "race_low": fates.opposite(width),
        "race_high": fates.opposite_or_alike(width),
    }


def _or_reason(ask: Callable[[], Any]) -> Any:
    """What theory answers, or why it does not."""
    try:
        return ask()
    except InputError as error:
        return str(error)


def _float(answer: Any) -> float | None:
    return None if isinstance(answer, str) else float(answer)


def _moments(scheme: DataDependent, d: int, distances: Sequence[float]) -> list[dict[str, Any]]:
    from trainability.theory import kink_moments

    sigma_in = (2 / d) ** 0.5 if scheme.sigma_in is None else scheme.sigma_in
    moments = kink_moments(distances, sigma_in, scheme.sigma_e)
    columns = {
        "distance": list(distances),
        "mean": moments.mean.tolist(),
        "mean_square": moments.mean_square.tolist(),
        "active": moments.active.tolist(),
    }
    same = {"scheme": str(scheme), "sigma_in": sigma_in, "sigma_e": scheme.sigma_e}
    return [
        same | dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]


def _numbers(option: str, text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or not all(0 <= number < float("inf") for number in numbers):
        raise InputError(f"{option} must be numbers >= 0 such as 0,0.5,2, got {shown(text)}")
    return numbers


def _show(
    entries: Sequence[Mapping[str, Any]], depth: int, need: int, restarts: int, where: str
) -> None:
    deep = depth > 2
    names = ["scheme", "width", "trainable" if deep else "trainability"]
    names += ["born dead", "at least", "at most"] if deep else ["neuron born\ndead", "born dead"]
    names += [f"all {restarts},\nat least"] if restarts > 1 else []
    table = _table(names)
    for entry in entries:
        row = [entry["scheme"], str(entry["width"]), _estimate(entry, "trainability")]
        if not deep:
            row.append(_estimate(entry, "neuron_born_dead"))
        row.append(_estimate(entry, "network_born_dead"))
        if deep:
            lower = [entry[f"network_born_dead_{name}"] for name in ("lower", "lower_1d")]
            row.append(_number(max((x for x in lower if x is not None), default=None)))
            row.append(_number(entry["network_born_dead_upper"]))
        if restarts > 1:
            row.append(_number(entry["network_born_dead_all_restarts_lower"]))
        table.add_row(*row)
    out.print(titled(f"depth {depth}, need {need}, {where}", table))
    names = ["lower", "upper"] if deep else []
    names += ["all_restarts_lower"] if restarts > 1 and not deep else []
    columns = {"lower": "at least", "upper": "at most"}
    refused: dict[str, list[str]] = {}
    for entry in entries:
        for name in names:
            if name in entry["refused"]:
                # Which begins with the name of the function that was asked.
                reason = entry["refused"][name].partition(" ")[2]
                refused.setdefault(reason, []).append(columns.get(name, f"all {restarts}"))
    for reason, which in sorted(refused.items()):
        out.print(f"no bound ({', '.join(dict.fromkeys(which))}): it {reason}")


def _show_success(entries: Sequence[Mapping[str, Any]]) -> None:
    names = ("scheme", "width", "trainability", "success", "by races alone")
    table = _table(names)
    for entry in entries:
        table.add_row(
            entry["scheme"],
            str(entry["width"]),
            _estimate(entry, "trainability"),
            _estimate(entry, "predicted_success"),
            f"{entry['race_low']:.3f} to {entry['race_high']:.3f}",
        )
    out.print(titled("predicted success of Adam(learning_rate=0.005) on |x|", table))


def _show_counts(entries: Sequence[Mapping[str, Any]]) -> None:
    table = _table(("scheme", "width", "active: chance"))
    for entry in entries:
        law = entry["active_count_pmf"]
        chances = "no law known"
        if law is not None:
            shown = [f"{count}: {chance:.4g}" for count, chance in enumerate(law) if chance > 1e-6]
            chances = "  ".join(shown)
        table.add_row(entry["scheme"], str(entry["width"]), chances)
    out.print(titled("active neurons of the first layer", table))


def _show_moments(moments: Sequence[Mapping[str, Any]]) -> None:
    names = ("scheme", "distance", "E relu", "E relu^2", "P(active)")
    table = _table(names)
    for entry in moments:
        values = (entry[name] for name in ("distance", "mean", "mean_square", "active"))
        table.add_row(entry["scheme"], *(f"{value:.8g}" for value in values))
    out.print(titled("a neuron at a distance from its training point", table))


def _table(names: Sequence[str]) -> Table:
    return new_table([Column(name, name in ("scheme", "active: chance")) for name in names])


def _estimate(entry: Mapping[str, Any], name: str) -> str:
    has_many = entry["depth"] > 2 and entry["restarts"] > 1  # columns in that table
    return with_error(entry[name], entry[f"{name}_se"], digits=4 if has_many else 5)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _draw(entries: Sequence[Mapping[str, Any]], path: Path) -> None:
    from trainability import plots

    table = pd.DataFrame(entries)
    title = "Trainability of networks"
    if table["depth"].nunique() == 1:
        title += f" of depth {table['depth'].iloc[0]}, need {table['need'].iloc[0]}"
    if not all(isinstance(width, int) for width in table["width"]):
        texts = [str(width) for width in table["width"]]
        table["width"] = pd.Categorical(texts, list(dict.fromkeys(texts)), ordered=True)
    plots.save(plots.plot_trainability(table, title=title), path)
    err.print(f"figure: {path}", soft_wrap=True)
