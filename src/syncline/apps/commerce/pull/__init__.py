"""Pull runs: read a store into the mirror, resumable at every chunk."""
