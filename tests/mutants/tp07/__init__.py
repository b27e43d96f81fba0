"""Answers to the exercises of TP 7 as students write them: right ones, and wrong ones with their hint."""

from . import features, images, svm

ROOMS = (images, features, svm)
RIGHT = {id: given for room in ROOMS for id, given in room.RIGHT.items()}
MUTANTS = {id: given for room in ROOMS for id, given in room.MUTANTS.items()}
