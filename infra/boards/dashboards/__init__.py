"""The boards: one module each, found because it lies in this folder.

A module `soc.py` has

    BOARD: infra.boards.parts.board.Board     whose uid is `barograph-soc`
"""
