-- Messages to people. A message is a row in the transaction of what it tells about, so it is there exactly when that
-- is. This module reads nobody's tables: who sends a message hands over the data that it shows.
create schema notifications;

-- waiting --sent--> sent          waiting --too many failures, or refused for good--> parked --tried again--> waiting
-- A worker takes a message by moving due_at ahead, sends it without a lock, and writes the outcome. If it dies
-- between, the message is due again: sent at least once, each time with the same Message-ID (made of id), so
-- mailboxes can tell.
create table notifications.message (
  id uuid primary key,
  template text not null constraint message_template_length check (length(template) between 1 and 60),
  recipient text not null constraint message_recipient_length check (length(recipient) between 3 and 254),
  locale text not null default 'en' constraint message_locale_length check (length(locale) between 2 and 35),
  -- What the template shows. Emptied by sending when a mail server has taken the message: it may hold a secret.
  data jsonb constraint message_data_size check (length(data::text) <= 1000000),
  state text not null default 'waiting' constraint message_state_known check (state in ('waiting', 'sent', 'parked')),
  attempts integer not null default 0,
  last_error text constraint message_last_error_length check (length(last_error) <= 500),
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  sent_at timestamptz,
  constraint message_waiting_has_data check (data is not null or state = 'sent')
-- Swept up by count: a share of a month of messages would leave the queue full of dead rows.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
-- The sender's queue. "is not null" is true of each row, and keeps the planner from walking the queue for one id.
create index message_to_send on notifications.message (due_at, id) where state = 'waiting' and due_at is not null;
-- The list of staff by state and by recipient.
create index message_by_state on notifications.message (state, id);
create index message_by_recipient on notifications.message (lower(recipient), id);
