"""Pages of the release: the gate and the decision, the certificate, what becomes of the product."""
