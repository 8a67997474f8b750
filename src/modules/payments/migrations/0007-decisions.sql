-- What people decided about money that no rule could decide, and why.
set local lock_timeout = '5s';

create table payments.decision (
  id uuid constraint decision_pkey primary key,
  case_id uuid not null,
  kind text not null constraint decision_kind_known check (kind in ('attempt', 'operation', 'webhook')),
  decision text not null constraint decision_known check (
    decision in ('ask_again', 'happened', 'did_not_happen', 'give_back', 'try_again', 'dismiss')),
  evidence text constraint decision_evidence_length check (length(evidence) between 1 and 1000),
  about text,
  order_id uuid,
  actor_kind text not null,
  actor_id uuid,
  at timestamptz not null default now()
);
create unique index decision_final on payments.decision (case_id) where decision <> 'ask_again';
create index decision_newest on payments.decision (at desc, id desc);
