"""Looking at many lots at once: the data of a periodic product review."""
