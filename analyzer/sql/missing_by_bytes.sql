-- Do the requests without a shadow answer have longer or shorter production outputs?
-- reads   production_answers
-- gives   missing_by_bytes(hour, bucket, missing, present): quarters of a factor of two of the bytes
select
    hour,
    floor(4 * log2(1 + bytes))::integer as bucket,
    count(*) filter (where not has_pair) as missing,
    count(*) filter (where has_pair) as present
from production_answers
where bytes is not null
group by hour, bucket
order by hour, bucket;
