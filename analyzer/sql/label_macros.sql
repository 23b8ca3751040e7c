-- How is a label read, whatever file it came in?
-- reads   nothing; uses the macros of capture_macros and prediction_macros
-- gives   macro label_truth(text): the labels of a text, one a line or one an element of a JSON
--         list, a whole number in one spelling; null where a label is missing or no scalar
--         macro label_code(id, truth): why a line gives no label, null where it does
create or replace temp macro label_scalar(cell) as
    case
        when cell is null then null
        when lower(label_text(cell)) in ('', 'nan', 'inf', '-inf', 'null') then null
        when starts_with(cell, '{') or starts_with(cell, '[') then null
        else label_text(cell)
    end;

create or replace temp macro label_truth(text) as
    list_transform(
        case
            when starts_with(text, '[') and json_valid(text)
                then json_extract_string(text, '$[*]')
            else csv_rows(text, null)
        end,
        lambda cell: label_scalar(trim(cell))
    );

create or replace temp macro label_code(id, truth) as
    case
        when coalesce(id, '') = '' then 'label.no-id'
        when truth is null or len(list_filter(truth, lambda one: one is not null)) = 0
            then 'label.no-label'
    end;
