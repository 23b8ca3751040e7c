-- Which pairs may be among the first by the hash that spreads samples over all pairs?
-- reads   pairs
-- gives   pair_sample: the columns of pairs
-- params  $most: largest hash
select *
from pairs
where hash(pair_id) <= $most::ubigint;
