"""corr_numpy - bench_corr and numpy.corrcoef in turns, so that both see the same machine.

    corr_numpy.py BENCH_CORR

numpy runs once as it comes and once with OPENBLAS_CORETYPE=SKYLAKEX (which only matters
where it uses OpenBLAS: say LD_LIBRARY_PATH=.../openblas-serial where the reference BLAS
is installed).  One thread; medians of seven turns.
"""
import os
import statistics
import subprocess
import sys

WINDOW = 256
TURNS = 7
NUMPY = """
import sys, time, numpy
n, window = int(sys.argv[1]), int(sys.argv[2])
rows = (numpy.random.default_rng(1).random((n, window)) - 0.5) * 1e-3
numpy.corrcoef(rows)
t = []
for _ in range(3):
    start = time.perf_counter()
    numpy.corrcoef(rows)
    t.append(time.perf_counter() - start)
print(sorted(t)[1] * 1e3)
"""


def numpy_ms(n, **env):
    out = subprocess.run([sys.executable, "-c", NUMPY, str(n), str(WINDOW)],
                         env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **env},
                         capture_output=True, text=True, check=True).stdout
    return float(out)


def ours_ms(n):
    out = subprocess.run([sys.argv[1], str(n)], capture_output=True, text=True, check=True)
    return float(out.stdout.split()[-2])


for n in (100, 500, 2000):
    turns = [(ours_ms(n), numpy_ms(n), numpy_ms(n, OPENBLAS_CORETYPE="SKYLAKEX"))
             for _ in range(TURNS)]
    ours, plain, tuned = (statistics.median(column) for column in zip(*turns))
    print(f"pearson n={n} window={WINDOW}: tickbus {ours:.3f} ms, numpy {plain:.3f} ms, "
          f"numpy with SKYLAKEX kernels {tuned:.3f} ms")
