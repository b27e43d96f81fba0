"""Answers to the exercises of TP 8: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

from . import ascent, attacks, maps, paths

ROOMS = (maps, paths, ascent, attacks)
RIGHT = {id: given for room in ROOMS for id, given in room.RIGHT.items()}
MUTANTS = {id: given for room in ROOMS for id, given in room.MUTANTS.items()}
