set local lock_timeout = '5s';

-- Pictures. An upload is decoded and encoded anew, so that nothing of the uploaded bytes is ever served, in a few widths
-- under a random name. An asset that nothing shows (catalogue and others say so by attach and detach) is removed after a day.
create schema media;

create table media.asset (
  id uuid primary key,
  -- The folder of its files in the storage. Random, so that an address cannot be guessed from another.
  key text not null constraint asset_key_unique unique constraint asset_key_form check (key ~ '^[a-z0-9]{26}$'),
  -- SHA-256 of the uploaded bytes: the same file uploaded twice is one asset.
  content_hash bytea not null constraint asset_content_hash_length check (length(content_hash) = 32),
  filename text not null constraint asset_filename_length check (length(filename) between 1 and 200),
  width integer not null constraint asset_width_positive check (width > 0),
  height integer not null constraint asset_height_positive check (height > 0),
  animated boolean not null default false,
  -- [{"name": "640.webp", "width": 640, "height": 480, "bytes": 20311}], narrowest first; the last is the whole picture.
  files jsonb not null constraint asset_files_form check (jsonb_typeof(files) = 'array'),
  bytes bigint not null constraint asset_bytes_positive check (bytes > 0),
  -- How many places show it. At none for a day, it is an orphan and is swept.
  uses integer not null default 0 constraint asset_uses_not_negative check (uses >= 0),
  unused_since timestamptz default now(),
  -- Set by the sweep before it removes the files: from then on the asset is gone for everybody.
  removed_at timestamptz,
  created_at timestamptz not null default now(),
  constraint asset_unused_since check ((uses = 0) = (unused_since is not null)),
  constraint asset_removed_unused check (removed_at is null or uses = 0)
) with (fillfactor = 80);
create unique index asset_by_content on media.asset (content_hash) where removed_at is null;
create index asset_orphans on media.asset (unused_since) where uses = 0;
