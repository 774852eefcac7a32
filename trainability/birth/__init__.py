"""What at birth decides success: networks drawn again from their identity, and what they tell."""

from trainability.birth.features import FEATURES, Birth, birth_features, with_outcomes
from trainability.birth.luck import outcome_changes, retrain
from trainability.birth.prediction import Prediction, predict_outcomes
from trainability.birth.summary import decided_at_birth

__all__ = [
    "FEATURES",
    "Birth",
    "Prediction",
    "birth_features",
    "decided_at_birth",
    "outcome_changes",
    "predict_outcomes",
    "retrain",
    "with_outcomes",
]
