"""The independent verifier of the audit trail. It imports nothing of the product and shares no code with the writer.

Only the standard library and psycopg are needed: `python3 cartulary-verify.pyz --url postgresql://…`. What is checked,
and against what, stands in chain.py (the entries of each stream), rows.py (what they cite) and tables.py (what nobody
cites). The formats it reads are written down in canon.py. 21 CFR 11.10(a), (c), (e); EU GMP Annex 11 (2011) 9.
"""
