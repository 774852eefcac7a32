import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainability.analysis.fits import (
    compare_models,
    effective_activity,
    fit_models,
    residuals,
    width_needed,
    widths_needed,
)
from trainability.analysis.models import MODELS, Curve, deviances
from trainability.errors import InputError

ALPHA = 1e-6
WIDTHS = [2, 3, 4, 6, 8, 12]


def rates_of(
    width: list[int], successes: object, n: int, need: int = 2, **columns: object
) -> pd.DataFrame:
    table = pd.DataFrame({"scheme": "UnitSphere()", "depth": 2, "width": width, "need": need})
    table = table.assign(n=n, successes=successes, **columns).rename_axis("cell")
    return table.assign(success_rate=lambda cells: cells["successes"] / cells["n"])


def simulated(q: float, lapse: float, n: int, seed: int, n_curves: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    success = (1 - lapse) * stats.binom.sf(1, WIDTHS, q)
    tables = [
        rates_of(WIDTHS, rng.binomial(n, success), n).assign(scheme=f"Scheme{curve}()")
        for curve in range(n_curves)
    ]
    bound = stats.binom.sf(1, WIDTHS * n_curves, 5 / 6)
    return pd.concat(tables, ignore_index=True).assign(trainability=bound)


def test_one_cell_of_width_two_gives_the_square_root():
    fit = effective_activity(rates_of([2], [355], 1000)).iloc[0]
    # 1e-6: the search stops within 1e-8 in logit q, where the deviance is flat to rounding.
    assert fit["q"] == pytest.approx(0.355**0.5, abs=1e-6)
    assert fit["q_low"] < fit["q"] < fit["q_high"]
    assert fit["degrees_of_freedom"] == 0 and np.isnan(fit["p_value"])


def test_no_other_q_is_more_likely_and_the_limits_are_where_the_deviance_says():
    rates = simulated(0.6, 0.0, 300, seed=5)
    fit = effective_activity(rates, level=0.9).iloc[0]
    curve = Curve.of(rates)

    def deviance(q: float) -> float:
        return float(deviances(curve, {"q": q}).sum())

    assert all(deviance(fit["q"]) <= deviance(q) + 1e-9 for q in np.linspace(0.01, 0.99, 197))
    rise = stats.chi2.ppf(0.9, 1)
    for end in ("q_low", "q_high"):
        # 1e-4: limits are found within 1e-6 in logit q, and the deviance rises by some 10 per 1.
        assert deviance(fit[end]) - fit["deviance"] == pytest.approx(rise, abs=1e-4)


def test_the_limits_stay_inside_the_unit_interval_at_the_ends():
    none = effective_activity(rates_of([2, 4], [0, 0], 100)).iloc[0]
    assert none["q"] == none["q_low"] == 0 < none["q_high"] < 0.1
    always = effective_activity(rates_of([2, 4], [100, 100], 100)).iloc[0]
    assert always["q"] == always["q_high"] == 1 > always["q_low"] > 0.9


def test_a_success_that_no_q_explains_leaves_the_other_cells_their_say():
    rates = rates_of([1, 2, 4], [1, 40, 70], 100)
    fit = effective_activity(rates).iloc[0]
    others = effective_activity(rates.iloc[1:]).iloc[0]
    # 1e-4: beside a deviance capped at 1e9 the others' is known to 1e-7, and q to its root.
    assert fit["q"] == pytest.approx(others["q"], abs=1e-4)
    assert fit["deviance"] == np.inf and fit["p_value"] == 0


def test_the_interval_of_the_activity_covers():
    n_curves, q = 400, 0.6
    fits = effective_activity(simulated(q, 0.0, 256, seed=1, n_curves=n_curves), level=0.9)
    covered = int(((fits["q_low"] <= q) & (q <= fits["q_high"])).sum())
    # Two-sided: at 256 networks a cell the profile interval is neither short nor long.
    assert stats.binomtest(covered, n_curves, 0.9).pvalue > ALPHA
    p_values = fits["p_value"]
    assert stats.kstest(p_values, "uniform").pvalue > ALPHA


def test_activity_and_lapse_are_recovered_and_their_intervals_cover():
    n_curves, truth = 40, {"q": 0.6, "lapse": 0.05}
    both = [model for model in MODELS if model.name == "activity and lapse"]
    rates = simulated(truth["q"], truth["lapse"], 512, seed=2, n_curves=n_curves)
    fits = fit_models(rates, level=0.9, models=both)
    for name, value in truth.items():
        covered = int(((fits[f"{name}_low"] <= value) & (value <= fits[f"{name}_high"])).sum())
        assert stats.binomtest(covered, n_curves, 0.9, "less").pvalue > ALPHA
        z = (fits[name].mean() - value) / (fits[name].std() / n_curves**0.5)
        assert stats.norm.sf(abs(z)) > ALPHA


def test_the_lapse_of_the_trainability_is_recovered():
    rng = np.random.default_rng(7)
    bound = stats.binom.sf(1, WIDTHS, 5 / 6)
    rates = rates_of(WIDTHS, rng.binomial(2000, 0.9 * bound), 2000, trainability=bound)
    fits = fit_models(rates, level=1 - ALPHA).set_index("model")
    assert fits.loc["lapse", "lapse_low"] <= 0.1 <= fits.loc["lapse", "lapse_high"]
    assert fits["aic"].idxmin() in ("lapse", "activity and lapse")
    assert fits.loc["trainability", "p_value"] < ALPHA < fits.loc["lapse", "p_value"]


def test_overdispersion_is_found_where_it_is_and_only_there():
    rng = np.random.default_rng(8)
    n_cells, n, rho = 60, 500, 0.02
    width = rng.integers(2, 9, n_cells).tolist()
    mean = stats.binom.sf(1, width, 0.6)
    scale = 1 / rho - 1
    spread = rng.beta(mean * scale, (1 - mean) * scale)
    for chances, expected in ((mean, 0.0), (spread, rho)):
        rates = rates_of(width, rng.binomial(n, chances), n, trainability=0.99)
        fits = fit_models(rates, level=1 - ALPHA, models=[m for m in MODELS if "q" in m.parameters])
        fit = fits.set_index("model").loc["activity, overdispersed"]
        assert fit["overdispersion_low"] <= expected <= fit["overdispersion_high"]
        tests = compare_models(fits).set_index("richer")
        assert (tests.loc["activity, overdispersed", "p_value"] < ALPHA) == (expected > 0)


def test_a_richer_model_is_never_less_likely_and_a_true_one_is_rarely_rejected():
    n_curves = 100
    plain = [model for model in MODELS if "overdispersion" not in model.parameters]
    rates = simulated(0.6, 0.0, 256, seed=3, n_curves=n_curves)
    fits = fit_models(rates, level=None, models=plain)
    tests = compare_models(fits)
    wide = fits.pivot(index="scheme", columns="model", values="deviance")
    # 1e-6: rounding of deviances of some 1e3.
    assert (wide["activity and lapse"] <= wide["activity"] + 1e-6).all()
    assert (wide["lapse"] <= wide["trainability"] + 1e-6).all()
    true_model = tests[(tests["simpler"] == "activity") & (tests["richer"] == "activity and lapse")]
    rejected = int((true_model["p_value"] <= 0.1).sum())
    assert stats.binomtest(rejected, n_curves, 0.1, "greater").pvalue > ALPHA


def test_residuals_square_to_the_deviance_and_point_to_the_miss():
    rates = simulated(0.6, 0.2, 1000, seed=4, n_curves=2)
    fits = fit_models(rates, level=None)
    table = residuals(rates, fits)
    plain = ~fits["model"].str.contains("overdispersed")
    squares = table.assign(square=table["residual"] ** 2).groupby(["scheme", "model"])["square"]
    expected = fits[plain].set_index(["scheme", "model"])["deviance"]
    np.testing.assert_allclose(squares.sum()[expected.index], expected, rtol=1e-9)
    widest = table[(table["model"] == "activity") & (table["width"] == 12)]
    assert (widest["residual"] < -3).all()
    by_activity = residuals(rates, effective_activity(rates))
    assert len(by_activity) == len(rates) and set(by_activity["model"]) == {"activity"}


def test_curves_may_be_told_apart_by_a_missing_value_or_by_nothing():
    rates = pd.concat([simulated(0.6, 0.0, 100, seed=0).assign(batch_size=b) for b in (None, 8.0)])
    assert len(effective_activity(rates, ["scheme", "batch_size"])) == 2
    assert len(residuals(rates, effective_activity(rates, []), [])) == len(rates)


def test_the_width_needed_is_the_least_that_suffices():
    for q, need, level in [(5 / 6, 2, 0.9), (0.6, 3, 0.999), (0.05, 1, 0.99), (1.0, 4, 0.9)]:
        width = int(width_needed(q, need, level))
        assert stats.binom.sf(need - 1, width, q) >= level
        assert width == need or stats.binom.sf(need - 1, width - 1, q) < level
    assert width_needed(0.0, 2, 0.9) == np.inf


def test_the_width_needed_is_the_quantile_of_a_negative_binomial():
    q = np.array([1e-9, 1e-3, 0.05, 0.5, 0.9, 1.0])[:, None, None]
    need, level = np.array([1.0, 2.0, 5.0])[:, None], np.array([1e-6, 0.1, 0.9, 0.999])
    widths = width_needed(q, need, level)
    expected = need + stats.nbinom.ppf(level, need, q)
    # At 1e-9 a width has ten digits, and two implementations may round its tail differently.
    np.testing.assert_allclose(widths[0], expected[0], rtol=1e-9)
    np.testing.assert_array_equal(widths[1:], expected[1:])
    assert (width_needed(np.nan, need, level) == np.inf).all()


def test_widths_needed_stand_beside_the_trainability_and_the_measurement():
    rates = simulated(0.6, 0.0, 100_000, seed=6).assign(
        success_rate_low=lambda cells: cells["success_rate"] - 0.005
    )
    fits = effective_activity(rates)
    bound = widths_needed(
        fits, rates, trainability=lambda key, width: float(stats.binom.sf(1, width, 5 / 6))
    )
    # P(Bin(n, .6) >= 2): n=4 .8208, 5 .9130, 8 .9915, 11 .99926; for 5/6 see theory's values.
    assert bound["width"].tolist() == [5, 8, 11]
    assert bound["width_trainability"].tolist() == [3, 5, 6]
    # Studied were 4, 6, 8, 12: at 8 the lower limit .9915 - .005 is below 99 %.
    assert bound["width_measured"].tolist()[:2] == [6, 12]
    assert (bound["width_low"] <= bound["width"]).all()
    assert (bound["width"] <= bound["width_high"]).all()
    never = widths_needed(fits, rates, trainability=lambda key, width: 0.5)
    assert (never["width_trainability"] == np.inf).all()
    assert widths_needed(fits, rates)["width_trainability"].isna().all()


def test_deep_cells_and_missing_theory_are_refused():
    with pytest.raises(InputError, match="shallow networks; select the cells of depth 2"):
        effective_activity(rates_of([2], [1], 10).assign(depth=3))
    with pytest.raises(InputError, match="a trainability for every cell; join the theory first"):
        fit_models(rates_of([2], [1], 10))
