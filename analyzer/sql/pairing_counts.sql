-- How were the pairs found, how far apart do they stand, and how often does an input repeat?
-- reads   pairs, repeated_inputs
-- gives   pairing_counts, one row; sum_m and sum_m2 run over distinct inputs, m = pairs of one input
with
shared as (
    select count(*) as m
    from pairs
    semi join repeated_inputs using (input_key)
    group by input_key
),

alone as (
    select count(*) as inputs
    from pairs
    anti join repeated_inputs using (input_key)
    where input_key is not null
),

repeats as (
    select
        any_value(alone.inputs) + count(shared.m) as distinct_inputs,
        (any_value(alone.inputs) + coalesce(sum(shared.m), 0))::bigint as sum_m,
        (any_value(alone.inputs) + coalesce(sum(shared.m * shared.m), 0))::double as sum_m2
    from alone
    left join shared on true
),

counts as (
    select
        count(*) as pairs,
        count(*) filter (where paired_by = 'inference_id') as by_inference_id,
        count(*) filter (where paired_by = 'event_id') as by_event_id,
        count(*) filter (where paired_by = 'payload') as by_payload,
        count(*) filter (where input_key is null) as pairs_without_input,
        count(*) filter (where not same_input) as other_inputs,
        count(*) filter (
            where
                production_data = shadow_data
                and production_encoding is not distinct from shadow_encoding
        ) as identical_outputs,
        max(abs(skew_s)) as max_abs_skew_s
    from pairs
)

select *
from counts, repeats;
