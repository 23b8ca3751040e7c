-- How many pairs stand how far apart? Times have whole seconds: counted by value they are few, whatever
-- the number of pairs.
-- reads   pairs
-- gives   pair_skews(skew_s, pairs)
select
    skew_s,
    count(*) as pairs
from pairs
group by skew_s;
