"""Texts read as what they say, where a caller has nothing but texts.

reading       how the texts of one column are read and shown
numbers       texts to numbers that Excel keeps
dates         texts to moments, by the ways of writing them that are met
booleans      texts to true and false
notation      patterns of dates: PHP's, strftime's and Excel's

A text that cannot be read is no error: whoever asks gets null for it, and keeps the text.
"""

from exporters.reading.reading import Reading, ReadType, reading_of

__all__ = ["ReadType", "Reading", "reading_of"]
