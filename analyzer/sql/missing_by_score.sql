-- Do the requests without a shadow answer have other production scores?
-- reads   missing_outputs, score_cells
-- gives   missing_by_score(bucket, missing, present): predictions by bucket of production's score
-- params  $json_path: path of the scores in the list holding the document; $csv_column: 1-based
--         column, null for the whole line
--         $by_logit, $centre, $spread: as in score_cells
with
cells as (
    select unnest(
        case
            when text[1] not in ('{', '[') then csv_rows(text, $csv_column)
            when json_valid('[' || text || ']')
                then json_extract('[' || text || ']', $json_path)::varchar[]
        end
    ) as cell
    from missing_outputs
),

numbers as (
    select try_cast(cell as double) as score
    from cells
),

scores as (
    select
        case when $by_logit then score_bucket(score)
            else quantity_bucket(score, $centre, $spread) end as bucket,
        count(*) as missing,
        0 as present
    from numbers
    where isfinite(score)
        and abs(score) < 1e100
    group by bucket
    union all
    select
        production_bucket as bucket,
        0 as missing,
        sum(predictions) as present
    from score_cells
    group by bucket
)

select
    bucket,
    sum(missing)::bigint as missing,
    sum(present)::bigint as present
from scores
group by bucket
order by bucket;
