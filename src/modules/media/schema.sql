-- Pictures. An upload is decoded and encoded anew, so that nothing of the uploaded bytes is ever served, in a few
-- widths under a random name. An asset that nothing shows (its users say so with attachAssets) is removed after a
-- day.
create schema media;

create table media.asset (
  id uuid primary key,
  -- The folder of its files in the storage. Random, so that no address can be guessed from another.
  key text not null constraint asset_key_unique unique constraint asset_key_form check (key ~ '^[a-z2-7]{26}$'),
  -- SHA-256 of the uploaded bytes: the same file uploaded twice is one asset.
  content_hash bytea not null constraint asset_content_unique unique
    constraint asset_content_hash_length check (length(content_hash) = 32),
  filename text not null constraint asset_filename_length check (length(filename) between 1 and 200),
  animated boolean not null,
  -- [{"name": "640.webp", "width": 640, "height": 480, "bytes": 20311}], narrowest first; the last is the whole
  -- picture.
  files jsonb not null constraint asset_files_form check (jsonb_typeof(files) = 'array' and jsonb_array_length(files) between 1 and 10),
  created_at timestamptz not null default now(),
  -- When it was made, or was last put somewhere or taken away. A day after that, if nothing shows it, it is removed.
  touched_at timestamptz not null default now()
) with (fillfactor = 80);
-- The sweep that looks for what nobody shows.
create index asset_by_touched_at on media.asset (touched_at);

-- Who shows an asset, as 'product:<id>'. The foreign key makes an asset that is being removed impossible to attach.
create table media.asset_use (
  used_by text not null constraint asset_use_used_by_length check (length(used_by) between 1 and 100),
  asset_id uuid not null constraint asset_use_asset references media.asset,
  primary key (used_by, asset_id)
);
-- Who shows an asset.
create index asset_use_by_asset on media.asset_use (asset_id);

-- Files in the storage that no asset has: written before an upload's files, deleted with the row of its asset. What
-- is still here when it is due belongs to an upload that died or to an asset that was removed, and is taken out of
-- the storage.
create table media.unclaimed (
  key text primary key constraint unclaimed_key_form check (key ~ '^[a-z2-7]{26}$'),
  due_at timestamptz not null
);
-- The sweep that empties the storage.
create index unclaimed_by_due_at on media.unclaimed (due_at);
