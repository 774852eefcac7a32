"""What a scheme, a task, an activation, a loss, a schedule and a study look like.

Each function draws onto a figure of its own and says in a sentence what there is to see, for those
who don't see it. A kind of thing has one function; what is drawn is asked of the thing itself.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainability.activations import Activation
from trainability.analysis.expected import expected_trainability
from trainability.arithmetic import ARRAYS
from trainability.domains import Ball
from trainability.losses import Loss
from trainability.networks import initialize
from trainability.optimizers.schedules import Schedule
from trainability.plots.style import INK, MUTED, OKABE_ITO, look, new_axes, number_axis
from trainability.schemes import Scheme
from trainability.study import Study
from trainability.tasks import AbsoluteValue, Task
from trainability.theory import born_dead_probability, trainability_probability

BLUE, ORANGE, GREEN = OKABE_ITO[:3]
WIDTHS = [2, 3, 4, 6, 8, 12]
INTERVAL = Ball(1, math.sqrt(3))


def scheme_picture(scheme: Scheme) -> tuple[Figure, str]:
    """Networks at birth, and how often they are trainable on |x|."""
    figure = Figure(figsize=(6.4, 2.5), layout="constrained")
    births, theory = (new_axes(ax) for ax in figure.subplots(1, 2))
    _draw_births(scheme, births)
    births.set_title("12 networks of width 8 at birth", fontsize=9.5, loc="left")
    births.set_xlabel("x")
    p = float(born_dead_probability(scheme, INTERVAL, width=8, n_samples=2**13))
    trainable = [
        float(trainability_probability(scheme, INTERVAL, width, need=2, n_samples=2**11))
        for width in WIDTHS
    ]
    theory.plot(WIDTHS, trainable, color=ORANGE, marker="o", markersize=4)
    theory.set_title("trainability of |x| over width", fontsize=9.5, loc="left")
    theory.set_ylim(min(0.6, *trainable), 1.01)
    number_axis(theory, WIDTHS, "width")
    return figure, (
        f"A neuron is born dead with probability {p:.3g} on [-√3, √3]; a network of width 4 is "
        f"trainable on |x| with probability {trainable[2]:.4g}."
    )


def scheme_thumbnail(scheme: Scheme) -> Figure:
    """Networks at birth alone, to be seen small."""
    figure = Figure(figsize=(2.2, 1.7), layout="constrained")
    _draw_births(scheme, new_axes(figure.subplots()))
    return figure


def _draw_births(scheme: Scheme, ax: Axes) -> None:
    """What 12 networks of width 8 compute at birth."""
    x, y = AbsoluteValue(n_train=100).data()
    networks = initialize(scheme, (1, 8, 1), 12, np.random.default_rng(0), x, y)
    import torch

    inputs = np.linspace(-math.sqrt(3), math.sqrt(3), 241, dtype=np.float32)[:, None]
    outputs = networks(torch.from_numpy(inputs)).numpy()[:, :, 0]
    ax.plot(inputs[:, 0], outputs.T, color=BLUE, linewidth=0.9, alpha=0.7)


def task_picture(task: Task) -> tuple[Figure, str]:
    """Training points and their targets."""
    figure = Figure(figsize=(3.6, 2.6), layout="constrained")
    ax = new_axes(figure.subplots())
    x, y = task.data()
    target = y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1)
    what = f"{len(x)} training points of {task.d_in} input{'s' * (task.d_in > 1)}"
    if task.d_in == 1:
        order = np.argsort(x[:, 0])
        ax.plot(x[order, 0], y[order], color=BLUE, linewidth=0.8, alpha=0.6)
        ax.plot(x[order, 0], y[order], ".", color=BLUE, markersize=4)
        ax.set(xlabel="x", ylabel="target")
    else:
        marks = ax.scatter(x[:, 0], x[:, 1], c=target, s=9, cmap="cividis")
        ax.set(xlabel="first input", ylabel="second input")
        if not task.n_classes:
            figure.colorbar(marks, label="target")
    if task.n_classes:
        what += f" in {task.n_classes} classes"
    return figure, f"{what}; at least {task.need} active neuron{'s' * (task.need > 1)} needed."


def activation_picture(activation: Activation) -> tuple[Figure, str]:
    """Value and slope, and where it is flat."""
    figure = Figure(figsize=(3.6, 2.4), layout="constrained")
    ax = new_axes(figure.subplots())
    edges = [edge for piece in activation.flat for edge in piece if math.isfinite(edge)]
    first, last = min([-4, *(edge - 2 for edge in edges)]), max([4, *(edge + 2 for edge in edges)])
    z = np.linspace(first, last, 801)
    h = np.asarray(activation.value(ARRAYS, z))
    kept = h if activation.keeps == "output" else z
    slope = np.asarray(activation.backward(ARRAYS, np.ones_like(z), kept))
    for low, high in activation.flat:
        ax.axvspan(max(low, first), min(high, last), color="#eeeeee", zorder=0)
    ax.plot(z, h, color=BLUE, label="value")
    ax.plot(z, slope, color=ORANGE, linewidth=1, dashes=(4, 2), label="slope")
    ax.set_xlabel("pre-activation")
    ax.set_ylim(max(-2.2, min(h.min(), slope.min()) - 0.2), min(last + 0.2, max(h.max(), 1.2)))
    ax.legend(frameon=False, fontsize=8)
    flat = " and ".join(f"from {low:g} to {high:g}" for low, high in activation.flat)
    return figure, f"Flat {flat}, where neurons die." if flat else "Flat nowhere: no neuron dies."


def loss_picture(loss: Loss) -> tuple[Figure, str]:
    """The loss of one point, and its derivative, over the first output."""
    figure = Figure(figsize=(3.6, 2.4), layout="constrained")
    ax = new_axes(figure.subplots())
    output = np.linspace(-4, 4, 401)
    numbers = loss.target_problem(np.full((2, 1), 0.5, np.float32)) is None
    if loss.by_rows:
        outputs, targets = [output, np.zeros_like(output)], [np.ones(401), np.zeros(401)]
        what = "first of two outputs; the point is of its class"
    elif numbers:
        outputs, targets = [output], [np.zeros(401)]
        what = "output minus target"
    else:
        outputs, targets = [output], [np.ones(401)]
        what = "output; the target is 1"
    deltas, total = loss.accumulate(ARRAYS, outputs, targets, np.ones(401), np.zeros(401))
    ax.plot(output, np.asarray(total) * loss.factor, color=BLUE, label="loss")
    ax.plot(output, deltas[0], color=ORANGE, linewidth=1, dashes=(4, 2), label="derivative")
    ax.set_xlabel(what)
    ax.set_ylim(-2.5, 6)
    ax.legend(frameon=False, fontsize=8)
    return figure, f"Loss and derivative of one point over the {what}."


def schedule_picture(schedule: Schedule) -> tuple[Figure, str]:
    """The factor of the step size over the steps."""
    figure = Figure(figsize=(3.6, 2.0), layout="constrained")
    ax = new_axes(figure.subplots())
    steps = np.arange(300)
    ax.plot(steps, schedule.scale(steps), color=BLUE)
    ax.set(xlabel="step", ylabel="factor", ylim=(-0.03, 1.05))
    return figure, f"{schedule}: from {schedule.scale(steps)[0]:g} at the first step."


def study_picture(study: Study) -> tuple[Figure, str] | None:
    """What theory says before anything is trained: trainability over width.

    None of modules, of which theory says nothing, and where there are no widths or several depths.
    """
    curves: dict[str, dict[int, float]] = {}
    cells = study.cells()
    if len({cell.depth for cell in cells}) > 1:
        return None
    for cell in cells:
        if cell.network is not None or len(set(cell.widths)) > 1:
            return None
        curve = curves.setdefault(f"{cell.scheme}", {})
        if cell.widths[0] not in curve:  # of several tasks or optimizers, the first
            curve[cell.widths[0]] = float(expected_trainability(cell, n_samples=2**11))
    widths = sorted({width for curve in curves.values() for width in curve})
    if len(widths) < 2:
        return None
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    ax = new_axes(figure.subplots())
    for index, (name, curve) in enumerate(curves.items()):
        style = look(index)
        ax.plot([*curve], [*curve.values()], color=style.color, marker=style.marker,
                linestyle=style.dashes, markersize=4, label=name)  # fmt: skip
    number_axis(ax, widths, "width")
    ax.set_ylabel("theoretical trainability", color=INK)
    ax.legend(frameon=False, fontsize=8, labelcolor=MUTED)
    return figure, "Theoretical trainability over width: what success can't exceed."
