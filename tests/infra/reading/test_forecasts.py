from infra.reading.forecasts import Bin, reliability, verified


def test_figures_of_a_verification() -> None:
    figures = verified([("open", 0.9), ("hit", 0.6), ("hit", 0.2), ("false_alarm", 0.3)])
    assert (figures.issued, figures.open, figures.hits, figures.false_alarms) == (4, 1, 2, 1)
    assert figures.brier is not None
    assert round(figures.brier, 4) == 0.2967  # (0.16 + 0.64 + 0.09) / 3
    assert figures.false_alarm_ratio == 1 / 3


def test_nothing_judged_is_not_a_perfect_score() -> None:
    figures = verified([("open", 0.9)])
    assert figures.brier is None
    assert figures.false_alarm_ratio is None
    assert verified([]).issued == 0


def test_how_often_each_probability_came_true() -> None:
    outcomes = [("hit", 0.3125), ("false_alarm", 0.375), ("open", 0.35), ("hit", 1.0), ("hit", 0.9)]
    assert reliability(outcomes) == [Bin(3, 2, 0.34375, 0.5), Bin(9, 2, 0.95, 1.0)]
    assert reliability([("open", 0.5)]) == []
