-- What do these lines of SageMaker's ground truth say? Its eventId holds the inference ID of the
-- request where the client gave one, else the event ID.
-- reads   lines(object_number, line_number, unterminated, line), lent
-- gives   rows of label_lines: one a line; code says why a line gives no label
with
parsed as (
    select
        line,
        try(json_extract_string(line, [
            '$.groundTruthData.data',
            '$.groundTruthData.encoding',
            '$.eventMetadata.eventId'
        ])) as field
    from lines
),

named as (
    select
        field is null as unreadable,
        field[3] as id,
        label_truth(output_text(field[1], upper(field[2]))) as truth
    from parsed
),

coded as (
    select
        id,
        truth,
        case when unreadable then 'label.invalid-json' else label_code(id, truth) end as code
    from named
)

select
    case when code is null then id_key(id, try_cast(id as uuid)) end as label_id,
    case when code is null then truth end as truth,
    code
from coded;
