-- How were the pairs found, how far apart do they stand, and how often does an input repeat?
-- reads  pairs
-- gives  pairing_facts, one row; sum_m and sum_m2 run over distinct inputs, m = pairs of one input
with inputs as (
    select count(*) as m
    from pairs
    where input_key is not null
    group by input_key
),

repeats as (
    select
        count(*) as distinct_inputs,
        coalesce(sum(m), 0)::bigint as sum_m,
        coalesce(sum(m * m), 0)::double as sum_m2
    from inputs
),

counts as (
    select
        count(*) as pairs,
        count(*) filter (where paired_by = 'inference_id') as by_inference_id,
        count(*) filter (where paired_by = 'event_id') as by_event_id,
        count(*) filter (where paired_by = 'payload') as by_payload,
        count(*) filter (where input_key is null) as pairs_without_input,
        count(*) filter (
            where
                production_data = shadow_data
                and production_encoding is not distinct from shadow_encoding
        ) as identical_outputs,
        quantile_cont(skew_s, 0.5) as median_skew_s,
        quantile_cont(abs(skew_s), 0.5) as median_abs_skew_s,
        max(abs(skew_s)) as max_abs_skew_s
    from pairs
),

pairing_facts as (
    select *
    from counts, repeats
)

select * from pairing_facts;
