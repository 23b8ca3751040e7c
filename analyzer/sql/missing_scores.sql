-- Which scores did production give where the shadow has no record?
-- reads   missing_outputs
-- gives   missing_scores(bucket, predictions), by bucket of the score
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
)

select
    case when $by_logit then score_bucket(score)
        else quantity_bucket(score, $centre, $spread) end as bucket,
    count(*) as predictions
from numbers
where isfinite(score)
    and abs(score) < 1e100
group by bucket;
