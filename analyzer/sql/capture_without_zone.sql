-- How many records do not say their time zone?
-- reads  records
-- gives  capture_without_zone(records)
select count(*) as records
from records
where not has_time_zone;
