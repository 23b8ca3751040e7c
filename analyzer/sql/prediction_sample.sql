-- Which production outputs show what an output looks like? A multiplicative hash of pair_id spreads
-- the sample over all pairs and never changes.
-- reads   prediction_texts
-- gives   prediction_sample(text)
-- params  $size: outputs at most; $bytes: of text at most (the first output always counts)
with
ranked as (
    select
        pair_id,
        (pair_id * 2654435761) % 4294967296 as rank
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
