-- Which label has each ID? Said again, a label counts once; two different ones are a conflict and
-- neither counts.
-- reads   label_lines
-- gives   labels: one row an ID; truth is null for a conflict
select
    label_id,
    count(*) as lines,
    case when min(hash(truth)) = max(hash(truth)) then min(truth) end as truth
from label_lines
where code is null
group by label_id;
