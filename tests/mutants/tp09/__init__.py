"""Answers to the exercises of TP 9: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

from . import algorithm, latents, losses, networks, steps

ROOMS = (networks, latents, losses, steps, algorithm)
RIGHT = {id: given for room in ROOMS for id, given in room.RIGHT.items()}
MUTANTS = {id: given for room in ROOMS for id, given in room.MUTANTS.items()}
