"""What becomes of a column's values on their way into any format: masks, maps, columns made here.

base         the contracts: `Transform`, `Generated`
choosing     which of them an entry of `columns` asks for
masks, hashed, sha256
             personal data: a part of each text stays, a constant, or a keyed hash
maps         values by other words
generated    constants and row numbers
"""
