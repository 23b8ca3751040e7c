-- Which inputs do several pairs share? Of all others, few or many, nothing need be gathered.
-- reads  pairs
-- gives  repeated_inputs(input_key)
select input_key
from pairs
where input_key is not null
group by input_key
having count(*) > 1;
