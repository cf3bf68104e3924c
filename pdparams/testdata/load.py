"""Prints the least seconds of five times that Python takes to load a pickle."""
import pickle
import sys
import time


def load():
    start = time.perf_counter()
    with open(sys.argv[1], "rb") as f:
        pickle.load(f, encoding="latin1")
    return time.perf_counter() - start


load()
print(min(load() for _ in range(5)))
