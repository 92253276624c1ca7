"""The same rows on plain tables: what the benchmark of a submission is compared with. Never installed in the product."""
