-- Which label belongs to which pair? By inference ID, else by production's event ID.
-- reads   pairs, labels
-- gives   rows of label_pairs: one a pair that a label names; ambiguous where the inference ID stands
--         for requests with different inputs, so that nothing tells which one was labelled
with
reused as (
    select inference_key
    from pairs
    where inference_key is not null
    group by inference_key
    having count(*) > 1
        and (min(input_key) <> max(input_key) or count(input_key) < count(*))
),

by_inference as (
    select
        pairs.pair_id,
        pairs.input_key,
        labels.label_id,
        labels.truth,
        reused.inference_key is not null as ambiguous
    from pairs
    inner join labels on labels.label_id = pairs.inference_key
    left join reused on reused.inference_key = pairs.inference_key
),

left_over as (
    select
        pairs.pair_id,
        pairs.input_key
    from pairs
    anti join by_inference using (pair_id)
),

by_event as (
    select
        left_over.pair_id,
        left_over.input_key,
        labels.label_id,
        labels.truth,
        false as ambiguous
    from left_over
    inner join labels on labels.label_id = left_over.pair_id
)

select * from by_inference
union all
select * from by_event;
