"""The files of the parquet sink: their layout, the log before them, and how few they are kept."""
