"""The autoencoder. Nothing here imports torch before this line has run."""

import os

# OpenMP's threads wait for each other by spinning. Let them sleep soon, or training crawls on a machine that is busy.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
