-- Which production outputs show what an output looks like? A hash of pair_id spreads the sample
-- over all pairs, whatever their order.
-- reads   prediction_texts
-- gives   prediction_sample(text)
-- params  $size: outputs at most; $bytes: of text at most (the first output always counts)
with
ranked as (
    select
        pair_id,
        hash(pair_id) as rank
    from pairs
    where production_data is not null
    order by rank, pair_id
    limit $size
),

prediction_sample as (
    select
        prediction_texts.production_text as text,
        ranked.rank,
        ranked.pair_id,
        sum(strlen(prediction_texts.production_text))
            over (order by ranked.rank, ranked.pair_id) as bytes_so_far,
        row_number() over (order by ranked.rank, ranked.pair_id) as position
    from ranked
    inner join prediction_texts using (pair_id)
)

select text
from prediction_sample
where bytes_so_far <= $bytes or position = 1
order by rank, pair_id;
