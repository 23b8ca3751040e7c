-- How many pairs kept the form of the answer, and what became of the others?
-- reads   contract_pairs
-- gives   contract_changes(code, pairs)
select
    code,
    count(*) as pairs
from contract_pairs
group by code
order by code;
