"""What becomes of a column's values on their way into any format: masks, maps, columns made here.

base         the contracts: `Transform`, `Generated`
choosing     which of them an entry of `columns` asks for
masks, hashed
             personal data: a part of each text stays, a constant, or a keyed hash
sha256       that hash, for many texts at once
octets       texts as numpy sees them
maps         values by other words
generated    constants and row numbers
"""
