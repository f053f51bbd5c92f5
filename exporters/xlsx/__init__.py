"""Excel workbooks: XlsxWriter builds the shell, polars the rows, ISA-L the deflate blocks."""
