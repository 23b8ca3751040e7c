-- Do the requests without a shadow answer have other labels of production?
-- reads   production_answers
-- gives   missing_by_label(hour, label, missing, present)
select
    hour,
    label,
    count(*) filter (where not has_pair) as missing,
    count(*) filter (where has_pair) as present
from production_answers
where label is not null
group by hour, label
order by hour, label;
