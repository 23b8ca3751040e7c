-- How many lines gave no label, and why? What was read, whatever its order?
-- reads   label_lines
-- gives   one row a code, null for lines that gave a label; hash_sum is text
select
    code,
    count(*) as lines,
    coalesce(sum(hash(label_id, truth)::hugeint), 0)::varchar as hash_sum,
    bit_xor(hash(label_id, truth, 1)) as hash_xor
from label_lines
group by code
order by code nulls first;
