"""What a study found, for a notebook: rows and estimates as frames, figures as Axes."""

from __future__ import annotations

import html
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from trainability.catalogs import did_you_mean
from trainability.checks import counted, shown
from trainability.errors import InputError
from trainability.findings.places import WIDTHS, place_text
from trainability.findings.study import Findings, find
from trainability.growth import study_cells
from trainability.report import figures
from trainability.report.build import report_folder
from trainability.report.sentences import answer, progress, typical
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.stored import has_folder, open_study
from trainability.study import Study
from trainability.study.widths import one_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trainability.report import Report

_SHOWN = ["n", "success_rate", "success_rate_low", "success_rate_high", "trainability"]
_MOST_ROWS = 60


def load(study: str | Path | Study, storage: str | Path | Storage = "results") -> LoadedStudy:
    """Open what storage holds of a study, finished or still running.

    Args:
        study: The name of a study, in `studies/` or on storage; a study file; or a `Study`.
        storage: The folder or address (`s3://`, `gs://`) that holds its results. Default: that of
            the command line.

    Returns:
        The study's rows, tables and figures. Each is read when it is first asked for, and then
        kept: load a running study again to see what has come since.

    Raises:
        InputError: If there is no such study; says which there are. If there is no such storage.
    """
    opened, place = open_study(study if isinstance(study, Study) else str(study), storage)
    if not has_folder(place):
        raise InputError(
            f"no results of {opened.name}: there is no folder {place.shown}; run the study on that "
            "storage first, or name the one that has its results"
        )
    return LoadedStudy(opened, place)


class LoadedStudy:
    """A study and what was found: `rows`, estimates as frames, the report's figures as Axes.

    All numbers are those of the report, computed by the same code: rates and shares in [0, 1],
    steps in updates, losses as the study declares them, intervals of 95 % each in columns that end
    in `_low` and `_high`, valid however the study grew. Frames are the caller's own, to be changed
    at will. Figures are drawn on `ax` where one is given, else on a new figure: `.figure` of the
    result shows and saves it.

    Args:
        study: The study.
        storage: Where its results are.
        report: The report that was written just now, if it was.
    """

    def __init__(self, study: Study, storage: Storage, report: Report | None = None) -> None:
        self.study = study
        self.storage = storage
        if report is not None:
            self.__dict__["findings"] = report.findings  # computed already

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One row per network, by cell and replicate; columns as `trainability.results.SCHEMA`.

        It has no rows before the first block of 256 networks is stored. A million networks are
        some 2 GB; `storage.read_rows` reads some of the columns only.
        """
        return self.storage.read_rows(self.study.name, list(self._cells))

    @cached_property
    def findings(self) -> Findings:
        """All that the report says, in one object.

        Raises:
            InputError: If storage holds no network of the study.
        """
        return find(self.study, self.storage)

    @property
    def report(self) -> Path | None:
        """The page of the report that was last written; None if there is none."""
        page = report_folder(self.study.name, self.storage) / "index.html"
        return page if page.is_file() else None

    @property
    def answer(self) -> str:
        """What was found, in the sentences of the report, after what is missing if anything is."""
        return " ".join(filter(None, [progress(self.findings), *answer(self.findings)]))

    def __repr__(self) -> str:
        files = self.storage.block_files(self.study.name, self._cells)
        # Two drivers may have stored a block twice.
        blocks = {(file.cell, block) for file in files for block in file.blocks}
        return (
            f"<{self.study.name}: {len(blocks) * BLOCK_SIZE:,} networks in "
            f"{len({cell for cell, _ in blocks})} of {counted(len(self._cells), 'cell')}, "
            f"in {self.storage.shown}>"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: question, answer, and the rates."""
        lines = [f"<p><b>{html.escape(self.study.question)}</b></p>"]
        if not self.storage.block_files(self.study.name, self._cells):
            return "".join([*lines, f"<p>{html.escape(repr(self))}</p>"])
        lines.append(f"<p>{html.escape(self.answer)}</p>")
        rates = self.rates().reset_index(drop=True)
        lines.append(
            rates[["curve", self.findings.x, *_SHOWN]].to_html(
                index=False, float_format=lambda value: f"{value:.4g}", max_rows=_MOST_ROWS
            )
        )
        if self.report is not None:
            lines.append(f"<p>Report: {html.escape(str(self.report))}</p>")
        return "".join(lines)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the report that has rows, by the name of its CSV file."""
        return {name: table.copy() for name, table in self.findings.tables.items()}

    def rates(self) -> pd.DataFrame:
        """Rates of every cell with networks, with their intervals and theory beside them.

        Returns:
            Indexed by `cell`: `curve`, a short name of what tells curves apart; the identity
            columns; the counts `n`, `successes`, `n_trainable`, `n_born_dead` and `n_diverged`;
            `success_rate`, `trainable_rate` and `born_dead_rate` with their intervals; theory's
            `trainability`, with its standard error if it was sampled; and `born_alive`, 1 - p.
        """
        return self.findings.rates.copy()

    def effective_activity(self) -> pd.DataFrame:
        """The effective activity q of every curve of shallow networks over width.

        Returns:
            One row per `curve`: success = P(Bin(width, q) >= `need`) fitted by maximum likelihood
            over `n_cells` cells of together `n` networks; `q` with its profile-likelihood
            interval, theory's `born_alive` beside it, and `deviance`, `degrees_of_freedom` and
            `p_value` of the fit. No rows if nothing could be fitted.
        """
        return self.findings.fits.activity.copy()

    def fits(self) -> pd.DataFrame:
        """All models of success over width, fitted to every curve of shallow networks.

        Returns:
            One row per `curve` and `model`: the estimates `q`, `lapse` and `overdispersion` (NaN
            where a model has none), `deviance`, `degrees_of_freedom`, `p_value` and `aic`.
        """
        return self.findings.fits.models.copy()

    def widths_needed(self) -> pd.DataFrame:
        """The width needed for a success probability of 90, 99 and 99.9 %.

        Returns:
            One row per `curve` and `success_probability`: in neurons of a hidden layer `width` by
            the fit, with its interval; `width_measured`, the least studied width whose interval
            lies wholly at or above it (NaN: none); and `width_trainability`, the least at which
            theory allows it.
        """
        return self.findings.fits.widths.copy()

    def comparisons(self) -> pd.DataFrame:
        """All pairs of schemes, activations, penalties, optimizers and losses, place by place.

        Returns:
            One row per pair: its `axis`, the other axes, `a`, `b`, whether the networks are
            `paired`, `n_a`, `n_b`, `rate_a`, `rate_b`, `difference` (b minus a) with its interval,
            the exact `p_value`, and `p_holm`, corrected for all rows of the axis. No rows for a
            study of one strategy. `pooled_comparisons` tests each pair once.
        """
        return self.findings.comparisons.places.copy()

    def pooled_comparisons(self) -> pd.DataFrame:
        """Every pair of strategies tested once, over all the places at which both were studied.

        Returns:
            One row per pair: `axis`, `sharing` (places that share their initializations, at most),
            `a`, `b`, `places`, `n_a`, `n_b`, the mean rates `rate_a` and `rate_b`, their
            `difference` (b minus a) with its interval, the `statistic` of the likelihood-ratio
            test that both have one curve, its `p_value`, and `p_holm`, corrected for all
            pairs of the axis. No rows for a study of one strategy.
        """
        return self.findings.comparisons.pooled.copy()

    def verdicts(self) -> pd.DataFrame:
        """The tests of theory, each with its verdict in words.

        Returns:
            One row per law: `law`, `verdict`, `holds`, `n` networks, `statistic` (cells that break
            it, or exceptions to it), `p_value`, and the test's `false_alarm_rate`.
        """
        return self.findings.tables["laws"].copy()

    def failures(self) -> pd.DataFrame:
        """Why trainable networks failed.

        Returns:
            One row per `curve` and `reason`: `n_failed` (trainable networks that failed), `count`
            and `share` of them with its interval (NaN share where none failed).
        """
        return self.findings.failures.copy()

    def survival(self) -> pd.DataFrame:
        """How long success takes: the share of networks that have not succeeded yet.

        Returns:
            One row per `cell` and `step`: `n`, and `survival` with its pointwise interval, by
            Kaplan-Meier, censored at the budget.
        """
        return self.findings.survival.copy()

    def losses(self) -> pd.DataFrame:
        """Quantiles of the loss over training.

        Returns:
            One row per `cell` and `step`: `n`, and the quantiles `q10`, `q25`, `q50`,
            `q75` and `q90`, over all networks; one that diverged counts as infinite.
        """
        return self.findings.measured.losses.copy()

    def census(self) -> pd.DataFrame:
        """Active and dead neurons of every hidden layer, before and after training.

        Returns:
            One row per `cell`, `moment`, `layer` (from 1) and `state`: `n` networks, the `mean`
            number of neurons, and their `share` of the layer with its standard error `share_se`.
        """
        return self.findings.measured.census.copy()

    def published(self) -> pd.DataFrame:
        """Published numbers beside ours, where the study declares any; else no rows."""
        return self.findings.published.copy()

    def plot_success(self, ax: Axes | None = None) -> Axes:
        """Success over width (or depth) with its intervals, all curves on one panel."""
        return figures.success(self.findings, ax)

    def plot_success_panels(self) -> Figure:
        """The report's headline figure, one panel for each curve: a whole figure of its own."""
        return figures.success_panels(self.findings)

    def plot_map(self, index: int = 0, ax: Axes | None = None) -> Axes:
        """Success over width and depth, with contours of theory.

        Args:
            index: Which map, from 0: there is one for each combination of the other axes.
            ax: Where to draw.

        Raises:
            InputError: If width and depth do not both vary, or there is no such map.
        """
        maps = figures.maps(self.findings)
        if not 0 <= index < len(maps):
            raise InputError(
                f"plot_map wants an index below {len(maps)}, got {index}"
                if maps
                else "plot_map wants a study whose width and depth both vary; use plot_success"
            )
        return figures.success_map(*maps[index], ax)

    def plot_survival(
        self, at: float | str | tuple[int, ...] | None = None, ax: Axes | None = None
    ) -> Axes:
        """Share of networks that have not succeeded yet, over steps, at one width (or depth).

        Args:
            at: Which, such as 8, or (8, 4) for the widths of layers; default: where the curves
                are told apart best.
            ax: Where to draw.

        Raises:
            InputError: If nothing was studied there.
        """
        return figures.survival(self.findings, self._place(at), ax)

    def plot_losses(
        self, at: float | str | tuple[int, ...] | None = None, ax: Axes | None = None
    ) -> Axes:
        """Median losses over steps at one width (or depth); arguments as for `plot_survival`."""
        return figures.losses(self.findings, self._place(at), ax)

    def plot_census(self, curve: str | None = None, ax: Axes | None = None) -> Axes:
        """Active and dead neurons of a curve, before and after training.

        Args:
            curve: As in the column of that name; default: the first.
            ax: Where to draw.

        Raises:
            InputError: If there is no such curve, or none of its cells that are shown is there.
        """
        curve = self._curve(curve, str(self.findings.rates["curve"].iloc[0]))
        if figures.census_table(self.findings, curve).empty:
            raise InputError(f"{curve} has no cell yet where the report shows a census")
        return figures.census(self.findings, curve, ax)

    def plot_schemes(
        self, a: str | None = None, b: str | None = None, ax: Axes | None = None
    ) -> Axes:
        """Success of one scheme against another's: a point per width, above the line where b wins.

        Args:
            a: The one along the horizontal axis, as in the column `curve`; default: of the two
                that differ most.
            b: The one along the vertical axis, likewise.
            ax: Where to draw.

        Raises:
            InputError: If the study does not compare schemes over width alone.
        """
        if not figures.may_compare(self.findings):
            raise InputError(
                "plot_schemes wants a study of several schemes in which nothing but the scheme "
                "and the width varies; comparisons() has a table of any"
            )
        first, second = figures.most_different(self.findings)
        a, b = self._curve(a, first), self._curve(b, second)
        return figures.scheme_against_scheme(self.findings, a, b, ax)

    def plot_counts(self, ax: Axes | None = None) -> Axes:
        """How often each number of active neurons was seen at birth, against its law.

        Raises:
            InputError: If theory knows no exact law for any cell.
        """
        if self.findings.measured.count_shares.empty:
            raise InputError("plot_counts wants cells whose counts have an exact law; here is none")
        return figures.count_calibration(self.findings, ax)

    @cached_property
    def _cells(self) -> dict:
        return study_cells(self.study, self.storage)

    def _place(self, at: Any) -> Any:
        if at is None:
            return typical(self.findings)
        places = self.findings.places
        names = (str(at), str(one_width(at))) if self.findings.x == WIDTHS else (at,)
        for name in names:
            if name in places:
                return name
        raise InputError(
            f"nothing was studied at {self.findings.x} {shown(at)}; wanted one of "
            f"{', '.join(map(place_text, places))}"
        )

    def _curve(self, curve: str | None, default: str) -> str:
        curves = list(dict.fromkeys(self.findings.rates["curve"]))
        if curve is not None and curve not in curves:
            raise InputError(
                f"no curve {curve!r}{did_you_mean(curve, curves)}; wanted one of "
                f"{', '.join(map(repr, curves))}"
            )
        return default if curve is None else curve
