-- Which part does each label go to, so that those of one ID lie together?
-- reads   spreading: rows of label_lines, labels or label_pairs
-- gives   spread_labels: the same columns, and part; lines that give no label have no ID
-- params  $parts: how many there are
select
    *,
    (hash(label_id) % $parts::ubigint)::integer as part
from spreading
where label_id is not null;
