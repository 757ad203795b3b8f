"""What an utterance is about, or that it is about nothing that is known. It acts on nothing."""

from lapel.brain.router.encoder import EncoderUnavailable
from lapel.brain.router.router import Route, Router, RouterWeights

__all__ = ["EncoderUnavailable", "Route", "Router", "RouterWeights"]
