-- Which label became which?
-- reads   flip_counts
-- gives   the 200 most frequent label pairs, equal labels included
select *
from flip_counts
order by predictions desc, production_label, shadow_label
limit 200;
