-- How many records contend for pairs?
-- reads  contenders
-- gives  contenders_size(records)
select count(*) as records
from contenders;
