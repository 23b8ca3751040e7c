-- How many inference IDs does a variant use for more than one event?
-- reads  kept_records
-- gives  repeated_ids(ids)
with repeated as (
    select inference_key
    from kept_records
    where inference_key is not null
    group by
        role,
        inference_key
    having count(*) > 1
),

repeated_ids as (
    select count(distinct inference_key) as ids
    from repeated
)

select * from repeated_ids;
