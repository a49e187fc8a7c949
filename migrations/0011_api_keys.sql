-- Keys of the API. The secret itself is nowhere: what is kept is its SHA-256, which is enough because the secret is
-- 244 random bits and nobody guesses it.
create table api_key (
    key_id text primary key check (key_id ~ '^[0-9a-f]{12}$'),
    name text not null check (char_length(name) between 1 and 100),
    scope text not null check (scope in ('read', 'write', 'admin')),
    secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
