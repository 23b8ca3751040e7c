"""All pages as one HTML file: nothing is loaded, nothing runs, and it can be printed.

In: `page` draws blocks, `style.css` is its one sheet, `drawing` makes the charts. Out: the words
(`content`).
"""

from analyzer.report.html.page import render

__all__ = ["render"]
