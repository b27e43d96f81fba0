"""Answers to exercises 9.8 and 9.9, a step of each player."""

from .. import game_steps

RIGHT = {"9.8": game_steps.RIGHT_D, "9.9": game_steps.RIGHT_G}
MUTANTS = {"9.8": game_steps.WRONG_D, "9.9": game_steps.WRONG_G}
