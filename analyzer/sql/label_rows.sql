-- What do these rows of a table of labels say?
-- reads   label_rows(id, label, code), lent; code is set where a row could not be read
-- gives   rows of label_lines: one a row; code says why a row gives no label
with
named as (
    select
        trim(id) as id,
        label_truth(trimmed(label)) as truth,
        code
    from label_rows
),

coded as (
    select
        id,
        truth,
        coalesce(code, label_code(id, truth)) as code
    from named
)

select
    case when code is null then id_key(id, try_cast(id as uuid)) end as label_id,
    case when code is null then truth end as truth,
    code
from coded;
