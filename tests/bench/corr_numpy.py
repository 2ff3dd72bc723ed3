"""One measurement for corr_bench: numpy.corrcoef of N rows of W doubles, in ms."""
import sys
import time

import numpy

n, window = int(sys.argv[1]), int(sys.argv[2])
rows = (numpy.random.default_rng(1).random((n, window)) - 0.5) * 1e-3
numpy.corrcoef(rows)
best = []
for _ in range(3):
    start = time.perf_counter()
    numpy.corrcoef(rows)
    best.append(time.perf_counter() - start)
print(sorted(best)[1] * 1e3)
