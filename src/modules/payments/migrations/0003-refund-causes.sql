set local lock_timeout = '5s';

alter table payments.operation add column cause text constraint operation_cause_known check (
  cause in ('returned', 'damaged', 'missing', 'wrong', 'late', 'price', 'goodwill', 'duplicate', 'fraud', 'other'));
