"""The table engine on Spark: rows lie in parts, questions are asked of each, answers are added.

In: `parts` and `beside`, what a task does with one part of the rows and of labels, `pieces`, how
tables travel, and `driver`, who sends which part where.
Out: what any question means; the `.sql` files and the code of `captures` and `payloads` are those
of the engine on one machine, and know nothing of this.
"""
